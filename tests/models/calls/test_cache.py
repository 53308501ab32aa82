"""What a process knows of its calls: seats here, calls begun here, and when to read again."""

from __future__ import annotations

from datetime import UTC, datetime

from models.calls.cache import MOST_BEGUN, KnownCalls
from models.calls.call import Call
from models.calls.state import Rules, begin

AT = datetime(2026, 11, 24, tzinfo=UTC)


def call(call_id: str, version: int = 0) -> Call:
    return Call(call_id, "anna", "ben", version, AT, begin(300, AT, Rules()))


def test_a_call_begun_here_is_known_until_it_is_forgotten() -> None:
    known = KnownCalls()
    assert known.find("a") is None
    known.begin(call("a"))
    assert known.find("a") == call("a")
    known.forget("a")
    assert known.find("a") is None


def test_only_a_call_with_a_seat_here_is_followed() -> None:
    known = KnownCalls()
    known.begin(call("a"))
    known.keep(call("a", 1))
    assert known.find("a") == call("a")
    known.seat(call("a", 1))
    known.keep(call("a", 2))
    assert known.find("a") == call("a", 2)
    assert known.turn("a") is not None
    assert known.with_seats() == ["a"]


def test_what_is_doubted_is_read_again() -> None:
    known = KnownCalls()
    known.begin(call("a"))
    known.doubt("a")
    assert known.find("a") is None
    known.keep(call("a", 3))
    assert known.find("a") == call("a", 3)


def test_steps_take_turns_from_the_beginning_to_the_last_seat() -> None:
    known = KnownCalls()
    assert known.turn("a") is None
    known.begin(call("a"))
    turn = known.turn("a")
    known.seat(call("a", 1))
    assert turn is not None
    assert known.turn("a") is turn
    known.end("a")
    assert known.turn("a") is turn
    known.forget("a")
    assert len(known) == 0


def test_a_call_that_ends_without_a_seat_leaves_nothing() -> None:
    known = KnownCalls()
    known.begin(call("a"))
    known.end("a")
    assert len(known) == 0


def test_calls_whose_seats_are_elsewhere_do_not_pile_up() -> None:
    known = KnownCalls()
    for number in range(MOST_BEGUN + 1):
        known.begin(call(str(number)))
    assert known.find("0") is None
    assert known.find("1") is not None
    assert known.find(str(MOST_BEGUN)) is not None
    assert len(known) == MOST_BEGUN
