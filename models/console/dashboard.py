"""The dashboard's figures for now and today (UTC): calls, open reports, appeals and notices, payments.

One statement, and one Redis command for the number online.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.clock import Clock
from models.postgres.database import Db
from models.room.presence import Presence
from models.settings.config import Config


class Figures(msgspec.Struct, frozen=True):
    calls_now: int
    calls_today: int
    ended_today: int
    good_today: int
    # Open ones, and the time of the oldest.
    reports: int
    reports_since: datetime | None
    appeals: int
    appeals_since: datetime | None
    notices: int
    notices_since: datetime | None
    payments_today: int | None
    online: int = 0

    @property
    def success_percent(self) -> int | None:
        """The share of successful calls among those that ended today; None if none has ended."""
        return round(100 * self.good_today / self.ended_today) if self.ended_today else None


class Dashboard:
    def __init__(self, db: Db, clock: Clock, config: Config, presence: Presence) -> None:
        self._clock, self._config, self._presence = clock, config, presence
        self._sql = db.statements("console.dashboard")

    async def figures(self, *, with_money: bool) -> Figures:
        """The figures; `payments_today` is None without `with_money`."""
        success_ms = self._config.success_seconds * 1000
        found = await self._sql.one("figures", Figures, success_ms=success_ms, now=self._clock.frozen)
        assert found is not None, "a select without a table returns one row"
        seen = msgspec.structs.replace(found, online=await self._presence.online_users())
        return seen if with_money else msgspec.structs.replace(seen, payments_today=None)
