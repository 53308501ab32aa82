"""A user's own reports, with what became of them: the receipt and the outcome.

The outcome is action taken or none, never the decision itself. Deleted users have no name, and a report of a
card is listed alike whether or not its user has been deleted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from models.ids import report_reference
from models.messages import JsonStruct, instant
from models.postgres.database import Db

MOST_SHOWN = 100


class OwnReport(msgspec.Struct, frozen=True):
    """`name` is None for a deleted user, and for a report of a card. `additions`: how often the user has
    added to it.
    """

    report_id: str
    source: Literal["met", "card"]
    name: str | None
    reason: str
    created_at: datetime
    additions: int
    outcome: Literal["action", "none"] | None
    decided_at: datetime | None

    @property
    def reference(self) -> str:
        return report_reference(self.report_id)

    @property
    def json(self) -> OwnReportJson:
        return OwnReportJson(
            reference=self.reference,
            name=self.name,
            reason=self.reason,
            filed_at=instant(self.created_at),
            outcome=self.outcome,
            decided_at=instant(self.decided_at) if self.decided_at else None,
        )


class OwnReportJson(JsonStruct, frozen=True, kw_only=True):
    """One of `reports` in `GET /reports`."""

    reference: str
    name: str | None
    reason: str
    filed_at: str
    outcome: str | None
    decided_at: str | None


class OwnReports:
    def __init__(self, db: Db) -> None:
        self._sql = db.statements("safety.own_reports")

    async def of(self, user_id: str) -> list[OwnReport]:
        """Newest first."""
        return await self._sql.all("of_user", OwnReport, user_id=user_id, most=MOST_SHOWN)
