"""The figures of the whole site for the metrics: users online, live calls, payments, speed of the servers.

Read at most once in FRESH_SECONDS, however often they are asked for.
"""

from __future__ import annotations

import time

import msgspec

from models.postgres.database import Db
from models.redis import keys
from models.redis.client import Bus
from models.room.presence import Presence

FRESH_SECONDS = 5.0


class SiteFigures(msgspec.Struct, frozen=True):
    """`payments` by state; the times are those of one short request to each server."""

    online: int
    queue: int
    live_calls: int
    payments: dict[str, int]
    database_seconds: float
    redis_seconds: float


class _State(msgspec.Struct, frozen=True):
    state: str
    count: int


class SiteStatistics:
    def __init__(self, db: Db, bus: Bus, presence: Presence) -> None:
        self._sql = db.statements("console.site_figures")
        self._bus, self._presence = bus, presence
        self._kept: SiteFigures | None = None
        self._read_at = 0.0

    async def figures(self) -> SiteFigures:
        """Raises: Unavailable."""
        now = time.monotonic()
        if self._kept is None or now - self._read_at >= FRESH_SECONDS:
            self._kept, self._read_at = await self._read(), now
        return self._kept

    async def _read(self) -> SiteFigures:
        begun = time.monotonic()
        live_calls = await self._sql.value("live_calls")
        answered = time.monotonic()
        queue = int(await self._bus.command("zcard", keys.QUEUE))
        ended = time.monotonic()
        online = await self._presence.online_users()
        payments = {row.state: row.count for row in await self._sql.all("payments", _State)}
        return SiteFigures(online, queue, live_calls, payments, answered - begun, ended - answered)
