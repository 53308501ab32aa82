"""The figures of each hour (UTC) of the last days, recorded once a minute by every process.

The database keeps one row an hour for all processes: the counts are those of the tables, and of the users
online the highest number that any process saw. Rows are deleted after eight days.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.clock import Clock
from models.postgres.database import Db
from models.room.presence import Presence
from models.settings.config import Config

RECORD_SECONDS = 60.0


class Hour(msgspec.Struct, frozen=True):
    """All figures are None for an hour in which the site did not run. `good_calls` are those of `calls` that
    went well; the rings that led to no call are `declined`, `cancelled` (or the caller left) or `missed`.
    """

    hour: datetime
    online: int | None
    calls: int | None
    good_calls: int | None
    declined: int | None
    cancelled: int | None
    missed: int | None
    payments: int | None

    @property
    def other_calls(self) -> int | None:
        return None if self.calls is None or self.good_calls is None else self.calls - self.good_calls


class HourlyFigures:
    def __init__(self, db: Db, clock: Clock, config: Config, presence: Presence) -> None:
        self._clock, self._config, self._presence = clock, config, presence
        self._sql = db.statements("console.hourly_figures")

    async def record(self) -> None:
        """Raises: Unavailable."""
        online, success_ms = await self._presence.online_users(), self._config.success_seconds * 1000
        await self._sql.run("record", online=online, success_ms=success_ms, now=self._clock.frozen)
        await self._sql.run("forget", now=self._clock.frozen)

    async def of_last(self, hours: int, *, with_money: bool) -> list[Hour]:
        """Every hour up to the current one, oldest first; `payments` are None without `with_money`."""
        found = await self._sql.all("of_last", Hour, hours=hours, now=self._clock.frozen)
        return found if with_money else [msgspec.structs.replace(one, payments=None) for one in found]
