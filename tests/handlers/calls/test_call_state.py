"""`call:state` of each side, from the call's record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers.calls.call_state import call_state
from models.calls.call import Call
from models.calls.snapshot import Snapshot
from models.calls.state import CallState, Side
from models.clock import Clock
from models.ids import new_id
from models.messages import CallStateMessage, instant

NOW = datetime(2026, 1, 2, 20, tzinfo=UTC)
LATER = NOW + timedelta(seconds=20)
CALL_ID = new_id()


def shown(side: Side, *, has_more: bool = False, **changes: Any) -> CallStateMessage:
    progress = {"agreed_seconds": 90, "state": "connected", "remaining_ms": 60_000, "connect_by": LATER}
    call = Call(CALL_ID, new_id(), new_id(), 3, NOW, CallState(**progress | changes))
    clock = Clock()
    clock.freeze(NOW)
    return call_state(call, side, Snapshot(None, [], has_more, None), clock)


def test_each_side_is_shown_the_other_seat() -> None:
    seats = {"caller_seat": "process/one", "callee_seat": None, "callee_back_by": LATER}
    assert (shown("caller", **seats).peer_here, shown("callee", **seats).peer_here) == (False, True)
    assert shown("caller", **seats).reconnect_by == instant(LATER)
    assert shown("callee", **seats).reconnect_by is None


def test_only_one_side_is_polite() -> None:
    assert {shown("caller").polite, shown("callee").polite} == {True, False}


def test_the_time_to_connect_is_shown_until_connected() -> None:
    assert shown("caller", state="connecting").connect_by == instant(LATER)
    assert shown("caller").connect_by is None


@pytest.mark.parametrize(("seconds", "left"), [(0, 60_000), (10, 50_000), (90, 0)])
def test_the_remaining_time_is_that_of_now(seconds: int, left: int) -> None:
    running = {"running_since": NOW - timedelta(seconds=seconds), "caller_up": True, "callee_up": True}
    state = shown("caller", **running)
    assert (state.state, state.remaining_ms) == ("running", left)


def test_older_lines_are_linked() -> None:
    assert shown("caller").messages_url is None
    assert shown("caller", has_more=True).messages_url == f"/calls/{CALL_ID}/messages"
