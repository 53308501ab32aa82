"""One event applied to a call: the next state, one compare-and-set, and again if another process was first.

The first media bit of a call is held in memory while both seats are in this process, and written with the
next step. The first seats of a call are written without waiting for the disk: if PostgreSQL crashes and loses
them, the next step takes them again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec

from models.calls.cache import CallCache
from models.calls.call import Call
from models.calls.rows import CallRows
from models.calls.snapshot import Snapshot
from models.calls.state import (
    SIDES,
    CallState,
    Event,
    MediaDown,
    MediaUp,
    Rules,
    SeatKept,
    SeatTaken,
    Side,
    step,
)
from models.clock import Clock

Publish = Callable[[Call, Call], Awaitable[None]]


class Step(NamedTuple):
    """A call before and after an event: the same object twice if nothing changed. `view` is what the seat in
    question is shown, unless the call has ended.
    """

    before: Call
    after: Call
    view: Snapshot | None = None


class CallSteps:
    """`publish` is called once for each step that this process wrote."""

    def __init__(
        self, rows: CallRows, known: CallCache, clock: Clock, rules: Rules, process_id: str, publish: Publish
    ) -> None:
        self._rows, self._known, self._clock, self._rules = rows, known, clock, rules
        self._here, self._publish = f"{process_id}/", publish

    async def apply(self, call_id: str, event: Event, side: Side | None = None) -> Step:
        """With `side`, also what its seat is shown."""
        turn = self._known.turn(call_id)
        if turn is None:
            return await self._step_now(call_id, event, side)
        async with turn:
            return await self._step_now(call_id, event, side)

    async def _step_now(self, call_id: str, event: Event, side: Side | None) -> Step:
        call = known = self._known.find(call_id)
        is_fresh = call is None
        if isinstance(event, MediaDown):
            self._known.drop_media(call_id, event.side)
        while True:
            if call is None:
                call, is_fresh = await self._rows.get(call_id), True
            after = self._next(call, event, known)
            if after == call.progress:
                # Nothing changes by a cached state, which may be out of date: read the row once.
                if is_fresh:
                    self._known.keep(call)
                    return Step(call, call, await self._view(call, side))
            elif isinstance(event, MediaUp) and self._may_hold(after):
                self._known.hold_media(call_id, event.side)
                return Step(call, call)
            else:
                stepped = msgspec.structs.replace(call, progress=after, version=call.version + 1)
                is_first, view = await self._write(call, stepped, side, is_lazy=_is_lazy(call, event))
                if is_first:
                    await self._publish(call, stepped)
                    return Step(call, stepped, view)
            call = None

    def _next(self, call: Call, event: Event, known: Call | None) -> CallState:
        """The state after what is only known here, and the event."""
        now, progress = self._clock.now(), call.progress
        for fact in self._facts(call, known):
            progress = step(progress, fact, now, self._rules)
        return step(progress, event, now, self._rules)

    def _facts(self, call: Call, known: Call | None) -> list[Event]:
        """Seats of this process that the row does not have, after the cached state was found to be out of
        date; and media bits that are not written.
        """
        found: list[Event] = [MediaUp(side) for side in self._known.held_media(call.call_id)]
        if known is None or known is call:
            return found
        seats = [(side, known.progress.seat_of(side)) for side in SIDES]
        return [SeatKept(side, seat) for side, seat in seats if seat and seat.startswith(self._here)] + found

    def _may_hold(self, after: CallState) -> bool:
        """Whether a first media bit need not be written: both seats are here, so the second comes here too.
        If this process ends before, both clients send theirs again.
        """
        seats = (after.caller_seat, after.callee_seat)
        return after.state == "connecting" and all(seat and seat.startswith(self._here) for seat in seats)

    async def _view(self, call: Call, side: Side | None) -> Snapshot | None:
        if side is None or call.progress.state == "ended":
            return None
        return await self._rows.snapshot(call, side)

    async def _write(
        self, before: Call, after: Call, side: Side | None, *, is_lazy: bool
    ) -> tuple[bool, Snapshot | None]:
        """One compare-and-set, with what a seat is shown."""
        if after.progress.state == "ended":
            return await self._rows.finish(before, after.progress), None
        is_first, view = await self._rows.advance(before, after.progress, side, is_lazy=is_lazy)
        if is_first:
            self._known.keep(after)
            self._known.drop_media(after.call_id)
        return is_first, view


def _is_lazy(before: Call, event: Event) -> bool:
    """Whether a crash of PostgreSQL may lose the step: an empty seat is taken while the call connects."""
    is_connecting = before.progress.state == "connecting"
    return is_connecting and isinstance(event, SeatTaken) and before.progress.seat_of(event.side) is None
