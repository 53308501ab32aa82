"""Whether this process can do its work: database, schema, Redis.

Answers within a few seconds, whatever is down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import msgspec

from models.errors import NoTables, Unavailable
from models.postgres.database import Db
from models.postgres.migrations import DIRECTORY
from models.redis.client import Bus


class _AppliedMigration(msgspec.Struct, frozen=True):
    migration_id: str


class Health:
    def __init__(self, db: Db, bus: Bus) -> None:
        self._bus = bus
        self._sql = db.statements("health")
        self._wanted = frozenset(file.stem for file in DIRECTORY.glob("*.sql"))

    async def checks(self) -> dict[str, str]:
        """`database`, `schema`, `redis`, `stripe`: each `ok`, or what is wrong."""
        (database, schema), redis = await asyncio.gather(self._database(), self._redis())
        stripe = await self._stripe() if schema == "ok" else "unknown"
        return {"database": database, "schema": schema, "redis": redis, "stripe": stripe}

    async def _database(self) -> tuple[str, str]:
        try:
            applied = {row.migration_id for row in await self._sql.all("applied", _AppliedMigration)}
        except NoTables:  # Not even the migrations table exists: no migration has been applied.
            return "ok", "missing"
        except Unavailable:
            return "away", "unknown"
        if applied - self._wanted:
            return "ok", "newer than this version of the site"
        return "ok", "ok" if self._wanted <= applied else "behind"

    async def _stripe(self) -> str:
        """A warning to the operator; the site itself works without it."""
        try:
            fits = await self._sql.value("last_event_fits")
        except Unavailable:
            return "unknown"
        return "livemode does not fit the key" if fits is False else "ok"

    async def _redis(self) -> str:
        return await _state(self._bus.check())

    async def may_evict(self) -> bool:
        """Whether Redis may evict keys; False if Redis does not say."""
        try:
            told = await self._bus.command("info", "memory")
        except Exception:
            # Down, or INFO is not permitted: `server.py check` reports the latter.
            return False
        return b"maxmemory_policy:" in told and b"maxmemory_policy:noeviction" not in told


async def _state(check: Awaitable[object]) -> str:
    try:
        await check
    except Unavailable:
        return "away"
    return "ok"
