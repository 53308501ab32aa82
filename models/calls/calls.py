"""Calls: a step of the state machine, one compare-and-set statement, then events.

Any process may apply any step to any call: `version` decides which process was first, and the others read the
row again and retry. The end is written once, in one statement with the cooldown, the statistics and the freed
seats. Calls are never deleted: the row is also the history of both users.
"""

from __future__ import annotations

import logging
from typing import Literal

from models.broadcasts import Broadcasts
from models.business_events import Name, record
from models.calls.cache import CallCache
from models.calls.call import Call, NewCall, other
from models.calls.restarts import CallRestarts
from models.calls.rows import CallRows
from models.calls.snapshot import Snapshot
from models.calls.state import (
    SIDES,
    Event,
    HungUp,
    MediaDown,
    MediaUp,
    Rules,
    SeatKept,
    SeatLost,
    SeatTaken,
    Side,
    Tick,
    begin,
)
from models.calls.steps import CallSteps
from models.calls.teardown import CallTeardown
from models.clock import Clock
from models.concurrency.bounded_gather import bounded_gather
from models.errors import Unavailable
from models.ids import new_id
from models.messages import CallClock, PeerJoined, PeerLeft, RtcConnected
from models.postgres.database import Db
from models.redis.client import Bus
from models.room.presence import Presence
from models.settings.config import Config

logger = logging.getLogger(__name__)
SWEEP_BATCH = 200
MOST_BATCHES = 50
# Fewer than the pool has connections: the others serve requests.
SWEEP_AT_ONCE = 4


class Calls:
    def __init__(
        self, db: Db, bus: Bus, clock: Clock, config: Config, broadcasts: Broadcasts, presence: Presence
    ) -> None:
        self._rows = CallRows(db, config)
        self._bus = bus
        self._clock = clock
        self._broadcasts = broadcasts
        self.ends = CallTeardown(bus, broadcasts, presence)
        self.restarts = CallRestarts(db, bus, clock, config, broadcasts)
        self._rules = Rules(config.connect_seconds, config.reconnect_seconds, config.pause_seconds)
        self._success_ms = config.success_seconds * 1000
        self._known = CallCache()
        self._steps = CallSteps(self._rows, self._known, clock, self._rules, bus.process_id, self._publish)

    def new(self, invite_id: str, caller_id: str, callee_id: str, agreed_seconds: int) -> NewCall:
        now = self._clock.now()
        return NewCall(
            invite_id, new_id(), caller_id, callee_id, now, begin(agreed_seconds, now, self._rules)
        )

    def add_accepted(self, new: NewCall) -> None:
        """Adds a call that was just accepted to the cache."""
        self._known.begin(new.call)

    async def get(self, call_id: str) -> Call:
        """Raises: NotFound."""
        return await self._rows.get(call_id)

    async def get_own(self, call_id: str, user_id: str) -> Call:
        """`get`, for one of the call's users. Raises: NotFound."""
        call = await self.get(call_id)
        call.side_of(user_id)
        return call

    async def known(self, call_id: str) -> Call:
        """The call from the cache or the row. Its users are right; its progress may be out of date."""
        return self._known.find(call_id) or await self.get(call_id)

    async def known_own(self, call_id: str, user_id: str) -> Call:
        """`known`, for one of the call's users. Raises: NotFound."""
        call = await self.known(call_id)
        call.side_of(user_id)
        return call

    async def live_of(self, user_id: str) -> str | None:
        """The id of the user's live call."""
        return await self._rows.live_of(user_id)

    # -- steps --

    async def take_seat(self, call_id: str, side: Side, socket_id: str) -> tuple[Call, Snapshot | None]:
        """The call, and what the seat is shown unless the call has ended."""
        _, call, view = await self._steps.apply(call_id, SeatTaken(side, self._seat(socket_id)), side)
        if call.progress.state != "ended":
            self._known.seat(call)
        return call, view

    async def keep_seat(
        self, call_id: str, side: Side, socket_id: str
    ) -> tuple[Call, Snapshot | None] | None:
        """Takes the seat again after this process was considered dead. None if a newer socket has it."""
        self._known.mark_outdated(call_id)
        seat = self._seat(socket_id)
        _, call, view = await self._steps.apply(call_id, SeatKept(side, seat), side)
        if call.progress.state != "ended":
            if call.progress.seat_of(side) != seat:
                return None
            self._known.seat(call)
        return call, view

    async def lose_seat(self, call_id: str, side: Side, socket_id: str) -> None:
        await self.apply(call_id, SeatLost(side, self._seat(socket_id)))

    async def seat_moved(self, call_id: str) -> None:
        """Writes the media bits that are only known here: a seat of the call is now on another process."""
        self._known.mark_outdated(call_id)
        for side in self._known.held_media(call_id):
            await self.apply(call_id, MediaUp(side))

    def forget(self, call_id: str) -> None:
        """Removes a call from the cache: no seat of it is left here."""
        self._known.forget(call_id)

    async def hang_up(self, call_id: str, reason: Literal["hung_up", "banned"] = "hung_up") -> Call:
        return await self.apply(call_id, HungUp(reason))

    async def report_media(self, call_id: str, event: MediaUp | MediaDown) -> CallClock | None:
        """Publishes the clock to both sides if it changed. Otherwise returns it, or None while connecting."""
        before, after, _ = await self._steps.apply(call_id, event)
        is_published = before.progress.clock != after.progress.clock
        return None if is_published or after.progress.state != "connected" else self.clock_of(after)

    async def apply(self, call_id: str, event: Event) -> Call:
        """Applies one event; retries if another process was first. Raises: NotFound."""
        return (await self._steps.apply(call_id, event)).after

    async def _publish(self, before: Call, after: Call) -> None:
        _record(before, after, self._success_ms)
        was, now = before.progress, after.progress
        if now.state == "ended":
            self._known.end(after.call_id)
            await self.ends.run(after)
            return
        for side in SIDES:
            if was.seat_of(side) != now.seat_of(side):
                peer = PeerLeft() if now.seat_of(side) is None else PeerJoined()
                self._broadcasts.to_call(after.call_id, peer, side=other(side))
        if was.clock != now.clock:
            self._broadcasts.to_call(after.call_id, self.clock_of(after))

    def clock_of(self, call: Call) -> CallClock:
        state: Literal["running", "paused"] = "running" if call.progress.running_since else "paused"
        left = call.progress.remaining_at(self._clock.now())
        return CallClock(state=state, remaining_ms=left, server_now=self._clock.now_ms())

    # -- what time does --

    async def sweep(self) -> None:
        """Every call whose next deadline has come; any process may do it. Raises Unavailable."""
        for _ in range(MOST_BATCHES):
            due = await self._rows.due(self._clock.now(), SWEEP_BATCH)
            await bounded_gather(due, SWEEP_AT_ONCE, self._tick)
            if len(due) < SWEEP_BATCH:
                return

    async def _tick(self, call_id: str) -> None:
        try:
            await self.apply(call_id, Tick())
        except Unavailable:
            raise
        except Exception:
            # One faulty call must not keep the others from ending.
            logger.exception("a call could not be ended", extra={"call_id": call_id})

    def due_within(self, seconds: float) -> dict[str, float]:
        return self._known.due_within(self._clock.now(), seconds)

    async def look_for_ends(self) -> None:
        """Publishes the end of calls with a seat here that another process ended without publishing it."""
        here = self._known.with_seats()
        for call_id in await self._rows.ended_among(here) if here else ():
            await self.ends.run(await self.get(call_id))
            self._known.end(call_id)

    def _seat(self, socket_id: str) -> str:
        return f"{self._bus.process_id}/{socket_id}"


def _record(before: Call, after: Call, success_ms: int) -> None:
    """The business event of a stored step, recorded once: by the process that wrote it."""
    was, now = before.progress, after.progress
    if now.state == "ended":
        connected_ms = now.connected_ms or 0
        name: Name = "call_success" if connected_ms >= success_ms else "call_failure"
        record(name, now.ended_reason or "", connected_ms / 1000)
    elif was.state == "connecting" and now.running_since is not None:
        record("call_connected", seconds=(now.running_since - after.started_at).total_seconds())


def record_media(report: RtcConnected) -> None:
    """What a side reports about its connection; it changes nothing."""
    if report.path is not None:
        seconds = None if report.picture_ms is None else report.picture_ms / 1000
        record("media", report.path, seconds)
    for _ in range(report.restarts or 0):
        record("ice_restart")
