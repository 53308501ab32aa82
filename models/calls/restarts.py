"""Bulk restart: empties the seats of dead processes and restarts open grace periods.

`models.calls.state.Restarted` defines the effect on a call; sql/calls/restarts.sql applies it to many rows in
one statement. One process at a time runs it. It works in batches and publishes events in parts, so that even
ten thousand calls do not block the process. Changes that Redis did not accept are repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import msgspec

from models.broadcasts import Broadcasts
from models.calls.call import other
from models.calls.state import Side
from models.clock import Clock
from models.messages import PeerLeft
from models.postgres.database import Db
from models.redis.client import Bus
from models.settings.config import Config

BATCH = 500
AT_ONCE = 100
# While another process runs it: the number of tries, and the seconds between them.
MOST_TRIES = 40
TRY_SECONDS = 0.05


class EmptiedSeats(msgspec.Struct, frozen=True):
    """The seats of one call that were emptied, as "<process id>/<socket id>"."""

    call_id: str
    caller: str | None
    callee: str | None

    def seats(self) -> list[tuple[Side, str]]:
        """Side and socket id of each emptied seat."""
        found = [("caller", self.caller), ("callee", self.callee)]
        return [(side, seat.partition("/")[2]) for side, seat in found if seat is not None]  # type: ignore[misc]


class Batch(msgspec.Struct, frozen=True):
    """`is_mine` is False while another process runs the restart."""

    is_mine: bool
    calls: int
    left: list[EmptiedSeats]


class CallRestarts:
    def __init__(self, db: Db, bus: Bus, clock: Clock, config: Config, broadcasts: Broadcasts) -> None:
        self._sql = db.statements("calls.restarts")
        self._bus, self._clock, self._broadcasts = bus, clock, broadcasts
        self._connect = timedelta(seconds=config.connect_seconds)
        self._reconnect = timedelta(seconds=config.reconnect_seconds)
        self._pause_ms = config.pause_seconds * 1000
        # Emptied seats whose keys are still in Redis.
        self._held: list[tuple[str, Side, str]] = []

    async def run(self, dead: Iterable[str], *, everyone: bool) -> bool:
        """Empties the seats of `dead` processes and restarts the grace periods of their calls; with
        `everyone`, those of all calls. False if another process is still running it. Raises: Unavailable.
        """
        now = self._clock.now()
        values: dict[str, Any] = {
            "dead": list(dead),
            "everyone": everyone,
            "pause_ms": self._pause_ms,
            "batch": BATCH,
        }
        values |= {"connect_by": now + self._connect, "back_by": now + self._reconnect}
        tries = 0
        while tries < MOST_TRIES:
            batch = await self._sql.one("restart", Batch, **values)
            assert batch is not None
            if batch.is_mine:
                await self._publish(batch.left)
                if batch.calls < BATCH:
                    await self.empty_keys()
                    return True
            else:
                tries += 1
                await asyncio.sleep(TRY_SECONDS)
        return False

    async def _publish(self, left: list[EmptiedSeats]) -> None:
        for number, one in enumerate(left):
            for side, socket_id in one.seats():
                self._broadcasts.to_call(one.call_id, PeerLeft(), side=other(side))
                self._held.append((one.call_id, side, socket_id))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def empty_keys(self) -> None:
        """Empties the seats in Redis unless a newer socket has them. Raises: Unavailable; keeps the rest."""
        while self._held:
            part = self._held[:AT_ONCE]
            await self._bus.script("calls.seats_leave", *(value for held in part for value in held))
            del self._held[: len(part)]
