"""The cache of a process's calls: seats here, calls accepted here, and when the row is read again."""

from __future__ import annotations

from datetime import UTC, datetime

from models.calls.cache import MOST_ACCEPTED, CallCache
from models.calls.call import Call
from models.calls.state import Rules, begin

AT = datetime(2026, 11, 24, tzinfo=UTC)


def call(call_id: str, version: int = 0) -> Call:
    return Call(call_id, "anna", "ben", version, AT, begin(300, AT, Rules()))


def test_a_call_accepted_here_is_cached_until_it_is_removed() -> None:
    known = CallCache()
    assert known.find("a") is None
    known.begin(call("a"))
    assert known.find("a") == call("a")
    known.forget("a")
    assert known.find("a") is None


def test_only_calls_with_a_seat_here_are_updated() -> None:
    known = CallCache()
    known.begin(call("a"))
    known.keep(call("a", 1))
    assert known.find("a") == call("a")
    known.seat(call("a", 1))
    known.keep(call("a", 2))
    assert known.find("a") == call("a", 2)
    assert known.turn("a") is not None
    assert known.with_seats() == ["a"]


def test_an_outdated_entry_is_read_again() -> None:
    known = CallCache()
    known.begin(call("a"))
    known.mark_outdated("a")
    assert known.find("a") is None
    known.keep(call("a", 3))
    assert known.find("a") == call("a", 3)


def test_steps_are_serialised_until_the_last_seat_is_gone() -> None:
    known = CallCache()
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
    known = CallCache()
    known.begin(call("a"))
    known.end("a")
    assert len(known) == 0


def test_calls_with_seats_on_other_processes_do_not_accumulate() -> None:
    known = CallCache()
    for number in range(MOST_ACCEPTED + 1):
        known.begin(call(str(number)))
    assert known.find("0") is None
    assert known.find("1") is not None
    assert known.find(str(MOST_ACCEPTED)) is not None
    assert len(known) == MOST_ACCEPTED


def test_a_held_media_bit_goes_with_the_call() -> None:
    for free in (CallCache.end, CallCache.forget, CallCache.drop_media):
        known = CallCache()
        known.hold_media("a", "caller")
        assert known.held_media("a") == ("caller",)
        free(known, "a")
        assert known.held_media("a") == ()
        assert len(known) == 0


def test_only_the_named_sides_media_bit_is_dropped() -> None:
    known = CallCache()
    known.hold_media("a", "caller")
    known.drop_media("a", "callee")
    assert known.held_media("a") == ("caller",)
