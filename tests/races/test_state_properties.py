"""The state machine under any sequence of events: properties that always hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

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
    Side,
    Tick,
    begin,
    step,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
RULES = Rules()
ORDER = {"connecting": 0, "connected": 1, "ended": 2}
sides: st.SearchStrategy[Side] = st.sampled_from(["caller", "callee"])
seats = st.sampled_from(["p1/a", "p1/b", "p2/c"])
quiet_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(SeatTaken, sides, seats),
    st.builds(SeatLost, sides, seats),
    st.builds(MediaUp, sides),
    st.builds(MediaDown, sides),
    st.just(Tick()),
)
restarts = st.builds(Restarted, st.frozensets(st.sampled_from(["p1", "p2", "p3"])))
events = st.one_of(quiet_events, quiet_events, restarts, st.just(HungUp()))
# Mostly short, sometimes long, as when a server was down.
gaps = st.one_of(st.integers(0, 3_000), st.integers(0, 40_000), st.integers(0, 400_000))
agreed = st.integers(60, 1800)


def check(call: CallState, before: CallState, now: datetime, seconds: int) -> None:
    assert ORDER[call.state] >= ORDER[before.state]
    assert 0 <= call.remaining_at(now) <= before.remaining_ms
    assert call.remaining_ms <= before.remaining_ms
    assert 0 <= call.paused_ms <= RULES.pause_seconds * 1000
    assert call.paused_ms >= before.paused_ms
    assert (call.running_since is None) or (call.paused_since is None)
    if call.state == "ended":
        check_end(call, now, seconds)
    else:
        assert call.due_at is not None
        assert call.due_at > now
        assert call.ended_reason is None
    if call.state == "connected":
        assert (call.running_since is None) != (call.paused_since is None)
        assert (call.caller_seat is None) == (call.caller_back_by is not None)
        assert (call.callee_seat is None) == (call.callee_back_by is not None)


def check_end(call: CallState, now: datetime, seconds: int) -> None:
    assert call.ended_at is not None
    assert call.connected_ms is not None
    assert call.ended_at <= now
    assert 0 <= call.connected_ms <= seconds * 1000
    assert call.due_at is None
    assert (call.ended_reason == "expired") <= (call.connected_ms == seconds * 1000)
    assert (call.ended_reason == "failed") <= (call.connected_at is None and call.connected_ms == 0)


@settings(max_examples=300, deadline=None)
@given(agreed, st.lists(st.tuples(gaps, events), max_size=40))
def test_the_invariants_hold_under_any_events(seconds: int, played: list[tuple[int, Event]]) -> None:
    now, call = NOON, begin(seconds, NOON, RULES)
    for gap, event in played:
        now += timedelta(milliseconds=gap)
        before, call = call, step(call, event, now, RULES)
        check(call, before, now, seconds)
        assert step(call, Tick(), now, RULES) is call


@settings(max_examples=200, deadline=None)
@given(agreed, st.lists(st.tuples(st.integers(0, 5_000), quiet_events), max_size=40))
def test_every_call_ends_automatically_in_bounded_time(seconds: int, played: list[tuple[int, Event]]) -> None:
    """After the last event, `due_at` alone ends the call: at most connecting, all pauses and the clock."""
    now, call = NOON, begin(seconds, NOON, RULES)
    for gap, event in played:
        now += timedelta(milliseconds=gap)
        call = step(call, event, now, RULES)
    for _ in range(4):
        if call.due_at is not None:
            now = call.due_at
            call = step(call, Tick(), now, RULES)
    assert call.state == "ended"
    most = seconds + RULES.pause_seconds + RULES.connect_seconds
    assert call.ended_at is not None
    assert call.ended_at <= NOON + timedelta(seconds=most)


@settings(max_examples=200, deadline=None)
@given(agreed, st.lists(st.tuples(gaps, quiet_events), max_size=30), st.integers(1, 4))
def test_extra_ticks_change_nothing(seconds: int, played: list[tuple[int, Event]], looks: int) -> None:
    """A late sweep and a frequent sweep get the same call."""
    now, rare, often = NOON, begin(seconds, NOON, RULES), begin(seconds, NOON, RULES)
    for gap, event in played:
        for part in range(1, looks + 1):
            often = step(often, Tick(), now + timedelta(milliseconds=gap * part / looks), RULES)
        now += timedelta(milliseconds=gap)
        rare, often = step(rare, event, now, RULES), step(often, event, now, RULES)
    assert step(rare, Tick(), now, RULES) == step(often, Tick(), now, RULES)
