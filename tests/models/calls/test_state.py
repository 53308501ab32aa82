"""The state machine of a call: every step gets an exact instant, and no test waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from models.calls.state import (
    CallState,
    Event,
    HungUp,
    MediaDown,
    MediaUp,
    Restarted,
    Rules,
    SeatLost,
    SeatTaken,
    Tick,
    begin,
    step,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
RULES = Rules()
TICK = Tick()


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def play(*events: tuple[float, Event], call: CallState | None = None) -> CallState:
    """The call after these events; it was accepted at noon for 60 seconds."""
    call = begin(60, NOON, RULES) if call is None else call
    for seconds, event in events:
        call = step(call, event, at(seconds), RULES)
    return call


SEATS: list[tuple[float, Event]] = [
    (0, SeatTaken("caller", "p1/a")),
    (0, SeatTaken("callee", "p1/b")),
]
UP: list[tuple[float, Event]] = [*SEATS, (1, MediaUp("caller")), (1, MediaUp("callee"))]


def test_a_call_starts_with_a_full_clock_and_half_a_minute_to_connect() -> None:
    call = begin(300, NOON, RULES)
    assert (call.state, call.clock, call.remaining_ms) == ("connecting", "connecting", 300_000)
    assert call.connect_by == call.due_at == at(30)
    assert call.remaining_at(at(29)) == 300_000


@pytest.mark.parametrize(
    ("events", "state", "clock"),
    [
        ([], "connecting", "connecting"),
        (SEATS, "connecting", "connecting"),
        ([(1, MediaUp("caller"))], "connecting", "connecting"),
        ([(1, MediaUp("callee"))], "connecting", "connecting"),
        ([(1, MediaUp("caller")), (2, MediaUp("caller"))], "connecting", "connecting"),
        (
            [(1, MediaUp("caller")), (2, MediaDown("caller")), (3, MediaUp("callee"))],
            "connecting",
            "connecting",
        ),
        (UP, "connected", "running"),
        ([*UP, (2, MediaUp("caller"))], "connected", "running"),
        ([*UP, (2, MediaDown("caller"))], "connected", "paused"),
        ([*UP, (2, MediaDown("callee"))], "connected", "paused"),
        ([*UP, (2, MediaDown("caller")), (3, MediaDown("callee"))], "connected", "paused"),
        (
            [*UP, (2, MediaDown("caller")), (3, MediaDown("callee")), (4, MediaUp("caller"))],
            "connected",
            "paused",
        ),
        ([*UP, (2, MediaDown("caller")), (3, MediaUp("caller"))], "connected", "running"),
        ([*UP, (2, SeatLost("caller", "p1/a"))], "connected", "running"),
        ([*UP, (2, Restarted())], "connected", "running"),
        ([*UP, (2, HungUp())], "ended", "paused"),
    ],
)  # fmt: skip
def test_the_clock_runs_while_both_report_media(
    events: Sequence[tuple[float, Event]], state: str, clock: str
) -> None:
    call = play(*events)
    assert (call.state, call.clock) == (state, clock)


@pytest.mark.parametrize(
    ("events", "when", "reason", "connected_ms"),
    [
        ([], 30, "failed", 0),
        (SEATS, 30, "failed", 0),
        ([*SEATS, (29.999, MediaUp("caller"))], 30, "failed", 0),
        (UP, 61, "expired", 60_000),
        # Ten seconds of pause are added; the other 50 run afterwards.
        ([*UP, (11, MediaDown("caller")), (21, MediaUp("caller"))], 71, "expired", 60_000),
        # A pause that never ends: 60 s of it, and then the rest of the clock.
        ([*UP, (11, MediaDown("caller"))], 121, "expired", 60_000),
        ([*UP, (11, SeatLost("callee", "p1/b"))], 41, "dropped", 40_000),
        # The pause ends before the grace period: the call was connected while the clock ran.
        ([*UP, (11, MediaDown("callee")), (11, SeatLost("callee", "p1/b"))], 41, "dropped", 10_000),
        ([(1, MediaUp("caller")), (1, MediaUp("callee"))], 31, "dropped", 30_000),
        ([*SEATS, (1, SeatLost("caller", "p1/a"))], 30, "failed", 0),
    ],
)
def test_time_alone_ends_a_call_at_the_exact_instant(
    events: Sequence[tuple[float, Event]], when: float, reason: str, connected_ms: int
) -> None:
    call = play(*events)
    assert step(call, TICK, at(when) - timedelta(microseconds=1), RULES).state != "ended"
    over = step(call, TICK, at(when), RULES)
    assert (over.state, over.ended_reason, over.ended_at) == ("ended", reason, at(when))
    assert (over.connected_ms, over.due_at) == (connected_ms, None)


def test_an_end_has_the_instant_of_its_deadline() -> None:
    late = play(*UP, (500, TICK))
    assert (late.ended_at, late.ended_reason, late.connected_ms) == (at(61), "expired", 60_000)


def test_an_event_after_the_deadline_finds_the_call_over() -> None:
    over = play(*UP, (61, MediaDown("caller")))
    assert (over.ended_reason, over.connected_ms) == ("expired", 60_000)
    assert play(*UP, (61, HungUp("banned"))).ended_reason == "expired"


def test_pauses_add_up_to_a_minute_and_then_the_clock_runs_regardless() -> None:
    call = play(*UP)
    for start, end in ((2, 22), (23, 43), (44, 64)):
        call = play((start, MediaDown("caller")), (end, MediaUp("caller")), call=call)
        assert call.clock == "running"
    assert call.paused_ms == 60_000
    lied = play((65, MediaDown("caller")), call=call)
    assert lied.clock == "running"
    assert lied.remaining_at(at(66)) == 60_000 - 5_000
    assert lied.due_at == at(121)


def test_the_clock_runs_again_when_a_pause_has_used_up_the_minute() -> None:
    call = play(*UP, (2, MediaDown("callee")))
    assert call.due_at == at(62)
    spent = play((62, TICK), call=call)
    assert (spent.clock, spent.paused_ms, spent.running_since) == ("running", 60_000, at(62))
    assert play((63, MediaUp("callee")), call=spent).running_since == at(62)


def test_every_lost_seat_has_its_own_grace_period() -> None:
    call = play(*UP, (10, SeatLost("caller", "p1/a")))
    assert call.caller_back_by == call.due_at == at(40)
    back = play((39, SeatTaken("caller", "p1/c")), call=call)
    assert (back.caller_back_by, back.caller_seat) == (None, "p1/c")
    again = play((45, SeatLost("caller", "p1/c")), call=back)
    assert again.caller_back_by == at(75)


def test_the_loss_of_a_replaced_seat_changes_nothing() -> None:
    call = play(*UP, (5, SeatTaken("caller", "p2/newer")))
    assert step(call, SeatLost("caller", "p1/a"), at(6), RULES) is call
    assert step(call, SeatLost("callee", "p2/newer"), at(6), RULES) is call


def test_a_seat_that_is_empty_when_the_media_is_up_is_a_lost_seat() -> None:
    call = play((0, SeatTaken("caller", "p1/a")), (3, MediaUp("caller")), (3, MediaUp("callee")))
    assert (call.caller_back_by, call.callee_back_by) == (None, at(33))


@pytest.mark.parametrize("reason", ["hung_up", "banned"])
def test_hanging_up_ends_the_call_at_once(reason: str) -> None:
    call = play(*UP, (31.5, HungUp(reason)))  # type: ignore[arg-type]
    assert (call.ended_reason, call.ended_at, call.connected_ms) == (reason, at(31.5), 30_500)
    assert (call.caller_seat, call.callee_seat, call.due_at) == (None, None, None)


def test_hanging_up_before_the_connection_uses_no_time() -> None:
    call = play(*SEATS, (5, HungUp()))
    assert (call.ended_reason, call.connected_ms, call.connected_at) == ("hung_up", 0, None)


def test_a_restart_restarts_open_grace_periods() -> None:
    call = play(*UP, (10, SeatLost("caller", "p1/a")), (35, Restarted()))
    assert (call.caller_back_by, call.callee_back_by) == (at(65), None)


def test_a_grace_period_that_expired_while_the_server_was_down_restarts() -> None:
    call = play(*UP, (10, SeatLost("caller", "p1/a")), (50, Restarted()))
    assert (call.state, call.caller_back_by) == ("connected", at(80))


def test_a_clock_that_expired_while_the_server_was_down_stays_expired() -> None:
    assert play(*UP, (500, Restarted())).ended_at == at(61)


def test_a_restart_restarts_the_time_to_connect() -> None:
    call = play(*SEATS, (100, Restarted(frozenset({"p1"}))))
    assert (call.state, call.connect_by, call.due_at) == ("connecting", at(130), at(130))
    assert (call.caller_seat, call.callee_seat) == (None, None)


def test_a_restart_empties_only_the_seats_of_dead_processes() -> None:
    call = play(
        (0, SeatTaken("caller", "p1/a")),
        (0, SeatTaken("callee", "p2/b")),
        (1, MediaUp("caller")),
        (1, MediaUp("callee")),
        (20, Restarted(frozenset({"p2", "p3"}))),
    )
    assert (call.caller_seat, call.caller_back_by) == ("p1/a", None)
    assert (call.callee_seat, call.callee_back_by) == (None, at(50))


def test_nothing_changes_an_ended_call() -> None:
    over = play(*UP, (5, HungUp()))
    later: list[Event] = [
        SeatTaken("caller", "x"), SeatLost("caller", "p1/a"), MediaUp("caller"), MediaDown("caller"),
        HungUp("banned"), TICK, Restarted(frozenset({"p1"})),
    ]  # fmt: skip
    for event in later:
        assert step(over, event, at(99), RULES) is over


@pytest.mark.parametrize(
    "event", [TICK, MediaUp("caller"), SeatTaken("caller", "p1/a"), Restarted(frozenset({"p9"}))]
)
def test_an_event_without_effect_returns_the_same_object(event: Event) -> None:
    call = play(*UP)
    assert step(call, event, at(20), RULES) is call


def test_without_pauses_in_the_rules_the_clock_never_pauses() -> None:
    strict = Rules(pause_seconds=0)
    call = step(play(*UP), MediaDown("caller"), at(20), strict)
    assert (call.clock, call.remaining_at(at(20))) == ("running", 41_000)


def test_the_remaining_time_is_never_negative() -> None:
    assert play(*UP).remaining_at(at(10_000)) == 0
    assert play(*UP).remaining_at(at(-10)) == 60_000


def test_a_state_is_stored_and_read_unchanged() -> None:
    call = play(*UP, (2, MediaDown("caller")), (3, SeatLost("callee", "p1/b")))
    assert msgspec.convert(msgspec.structs.asdict(call), CallState) == call
