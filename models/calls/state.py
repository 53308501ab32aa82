"""The state machine of a call. Pure: no I/O, no clock.

`step(call, event, now, rules)` returns the next state of a call, or the same object if nothing changes. A
call goes CONNECTING -> CONNECTED (running | paused) -> ENDED(reason), never back. It has two bits (whether
each side reports media) and two seats.

* The clock runs while both bits are set and pauses when one is cleared. Pauses add up to at most
  `pause_seconds`; then the clock runs regardless of the bits, so a client gains nothing by false reports.
* In a connected call, an emptied seat must be taken again within `reconnect_seconds`. An empty seat alone
  does not pause the clock.
* `due_at` is the next instant at which time alone changes the state; the sweep applies Tick then.

Instants are aware datetimes of PostgreSQL's clock; lengths are milliseconds. Every step receives the current
instant as an argument.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

Side = Literal["caller", "callee"]
SIDES: tuple[Side, Side] = ("caller", "callee")
CallStatus = Literal["connecting", "connected", "ended"]
EndReason = Literal["hung_up", "expired", "dropped", "failed", "banned"]


class Rules(msgspec.Struct, frozen=True):
    """The grace periods and the maximum pause, in seconds."""

    connect_seconds: int = 30
    reconnect_seconds: int = 30
    pause_seconds: int = 60


class CallState(msgspec.Struct, frozen=True, kw_only=True):
    """A call's progress, as stored in its row."""

    agreed_seconds: int
    state: CallStatus
    remaining_ms: int
    connect_by: datetime
    connected_at: datetime | None = None
    caller_up: bool = False
    callee_up: bool = False
    caller_seat: str | None = None
    callee_seat: str | None = None
    caller_back_by: datetime | None = None
    callee_back_by: datetime | None = None
    running_since: datetime | None = None
    paused_since: datetime | None = None
    paused_ms: int = 0
    due_at: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: EndReason | None = None
    connected_ms: int | None = None

    def remaining_at(self, now: datetime) -> int:
        """Milliseconds left on the clock at `now`, never below zero."""
        return max(0, self.remaining_ms - _since(self.running_since, now))

    def seat_of(self, side: Side) -> str | None:
        return self.caller_seat if side == "caller" else self.callee_seat

    @property
    def clock(self) -> Literal["connecting", "running", "paused"]:
        if self.state == "connecting":
            return "connecting"
        return "running" if self.running_since else "paused"


class SeatTaken(msgspec.Struct, frozen=True):
    side: Side
    seat: str


class SeatKept(msgspec.Struct, frozen=True):
    """A socket takes its seat again, unless a newer socket has it."""

    side: Side
    seat: str


class SeatLost(msgspec.Struct, frozen=True):
    """A seat's socket has closed. A replaced socket that closes later changes nothing."""

    side: Side
    seat: str


class MediaUp(msgspec.Struct, frozen=True):
    side: Side


class MediaDown(msgspec.Struct, frozen=True):
    side: Side


class HungUp(msgspec.Struct, frozen=True):
    reason: Literal["hung_up", "banned"] = "hung_up"


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


class Restarted(msgspec.Struct, frozen=True):
    """Processes have died: their seats are empty, and every open grace period restarts."""

    dead: frozenset[str] = frozenset()


Event = SeatTaken | SeatKept | SeatLost | MediaUp | MediaDown | HungUp | Tick | Restarted


def begin(agreed_seconds: int, now: datetime, rules: Rules) -> CallState:
    """A call at the instant of its acceptance."""
    call = CallState(
        agreed_seconds=agreed_seconds,
        state="connecting",
        remaining_ms=agreed_seconds * 1000,
        connect_by=now + timedelta(seconds=rules.connect_seconds),
    )
    return _with_due(call, rules)


def step(before: CallState, event: Event, now: datetime, rules: Rules) -> CallState:
    """The next state; `before` itself if nothing changes. Deadlines up to `now` are applied first."""
    call = before
    if isinstance(event, Restarted) and call.state != "ended":
        # No client could reconnect, so grace periods restart before deadlines are checked.
        call = _restart(call, event.dead, now, rules)
    timely = _let_time_pass(call, now, rules)
    if timely.state == "ended":
        return timely
    after = _apply(timely, event, now, rules)
    return before if after == before else _with_due(after, rules)


def _apply(call: CallState, event: Event, now: datetime, rules: Rules) -> CallState:
    match event:
        case SeatTaken(side, seat):
            return _set(call, side, seat=seat, back_by=None)
        case SeatKept(side, seat):
            is_free = _get(call, side, "seat") in (None, seat)
            return _set(call, side, seat=seat, back_by=None) if is_free else call
        case SeatLost(side, seat):
            return _lose_seat(call, side, now, rules) if _get(call, side, "seat") == seat else call
        case MediaUp(side):
            return _settle_clock(_set(call, side, up=True), now, rules)
        case MediaDown(side):
            return _settle_clock(_set(call, side, up=False), now, rules)
        case HungUp(reason):
            return _end(call, reason, now)
        case Tick() | Restarted():
            return call


def _lose_seat(call: CallState, side: Side, now: datetime, rules: Rules) -> CallState:
    back_by = now + timedelta(seconds=rules.reconnect_seconds) if call.state == "connected" else None
    return _set(call, side, seat=None, back_by=back_by)


def _restart(call: CallState, dead: frozenset[str], now: datetime, rules: Rules) -> CallState:
    if call.state == "connecting":
        call = msgspec.structs.replace(call, connect_by=now + timedelta(seconds=rules.connect_seconds))
    for side in SIDES:
        seat = _get(call, side, "seat")
        if (seat is not None and seat.split("/")[0] in dead) or _get(call, side, "back_by") is not None:
            call = _lose_seat(call, side, now, rules)
    return call


def _settle_clock(call: CallState, now: datetime, rules: Rules) -> CallState:
    """Runs or pauses the clock according to the two bits."""
    both = call.caller_up and call.callee_up
    if call.state == "connecting":
        return _connect(call, now, rules) if both else call
    if both and call.running_since is None:
        paused = call.paused_ms + _since(call.paused_since, now)
        return msgspec.structs.replace(call, running_since=now, paused_since=None, paused_ms=paused)
    if not both and call.running_since is not None and call.paused_ms < rules.pause_seconds * 1000:
        left = call.remaining_at(now)
        return msgspec.structs.replace(call, running_since=None, paused_since=now, remaining_ms=left)
    return call


def _connect(call: CallState, now: datetime, rules: Rules) -> CallState:
    """Both bits are set for the first time. The grace period of an empty seat begins now."""
    back_by = now + timedelta(seconds=rules.reconnect_seconds)
    return msgspec.structs.replace(
        call,
        state="connected",
        connected_at=now,
        running_since=now,
        caller_back_by=None if call.caller_seat else back_by,
        callee_back_by=None if call.callee_seat else back_by,
    )


def _let_time_pass(call: CallState, now: datetime, rules: Rules) -> CallState:
    """Applies every deadline up to `now`, in order, each at its own instant."""
    while call.state != "ended":
        due = _due(call, rules)
        if due > now:
            return call
        call = _at_deadline(call, due, rules)
    return call


def _at_deadline(call: CallState, due: datetime, rules: Rules) -> CallState:
    if call.state == "connecting":
        return _end(call, "failed", due)
    if due == _expires(call):
        return _end(call, "expired", due)
    if due in (call.caller_back_by, call.callee_back_by):
        return _end(call, "dropped", due)
    # The maximum pause is used up: the clock runs regardless of the bits.
    return msgspec.structs.replace(
        call, running_since=due, paused_since=None, paused_ms=rules.pause_seconds * 1000
    )


def _due(call: CallState, rules: Rules) -> datetime:
    if call.state == "connecting":
        return call.connect_by
    instants = [_expires(call), call.caller_back_by, call.callee_back_by, _pause_ends(call, rules)]
    return min(instant for instant in instants if instant is not None)


def _expires(call: CallState) -> datetime | None:
    if call.running_since is None:
        return None
    return call.running_since + timedelta(milliseconds=call.remaining_ms)


def _pause_ends(call: CallState, rules: Rules) -> datetime | None:
    if call.paused_since is None:
        return None
    return call.paused_since + timedelta(milliseconds=rules.pause_seconds * 1000 - call.paused_ms)


def _end(call: CallState, reason: EndReason, now: datetime) -> CallState:
    left = call.remaining_at(now)
    return msgspec.structs.replace(
        call, state="ended", remaining_ms=left, running_since=None, paused_since=None, due_at=None,
        caller_back_by=None, callee_back_by=None, caller_seat=None, callee_seat=None,
        ended_at=now, ended_reason=reason, connected_ms=call.agreed_seconds * 1000 - left,
    )  # fmt: skip


def _with_due(call: CallState, rules: Rules) -> CallState:
    due = None if call.state == "ended" else _due(call, rules)
    return msgspec.structs.replace(call, due_at=due)


def _get(call: CallState, side: Side, name: str) -> str | None:
    value: str | None = getattr(call, f"{side}_{name}")
    return value


def _set(call: CallState, side: Side, **changes: object) -> CallState:
    return msgspec.structs.replace(call, **{f"{side}_{name}": value for name, value in changes.items()})


def _since(start: datetime | None, now: datetime) -> int:
    if start is None:
        return 0
    return max(0, round((now - start) / timedelta(milliseconds=1)))
