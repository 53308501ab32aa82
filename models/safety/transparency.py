"""Figures about moderation for a period: reports, bans, removals, appeals and notices that began in it.

One row for each subject and kind, the same as JSON, CSV and a page. Times run from the beginning to the
decision. What has been deleted by its age (`REPORT_DAYS` after the decision) is not counted any more, so the
figures of a year are made soon after it. No row names a user. Raises: Invalid (the period).
"""

from __future__ import annotations

import csv
import io
from datetime import date

import msgspec

from models.clock import Clock
from models.errors import Invalid
from models.messages import JsonStruct
from models.postgres.database import Db

MOST_DAYS = 400
PERIOD = "Give two dates such as 2026-01-01, the first one not after the second, at most 400 days."


class FiguresRow(JsonStruct, frozen=True):
    """`subject`: report, ban, removal, ban appeal, removal appeal or notice. `kind`: the reason or kind."""

    subject: str
    kind: str
    received: int
    # Upheld reports, overturned decisions, notices with an action; and those without one.
    action: int
    no_action: int
    waiting: int
    # Decided without a person; and decisions that were lifted or overturned later.
    automatic: int
    reversed: int
    median_hours: float | None
    longest_hours: float | None


class TransparencyFigures(JsonStruct, frozen=True):
    first: date
    last: date
    # Of all bans, how many a program decided; None without any.
    automatic_share: float | None
    rows: list[FiguresRow]

    def as_csv(self) -> str:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\r\n")
        names = FiguresRow.__struct_fields__
        table.writerow(["first", "last", *names])
        for row in self.rows:
            table.writerow([self.first, self.last, *(getattr(row, name) for name in names)])
        return text.getvalue()


class Transparency:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._clock = clock
        self._sql = db.statements("safety.transparency")

    async def figures(self, first: str, last: str) -> TransparencyFigures:
        """Both days are included, in UTC."""
        period = _period(first, last)
        rows = await self._sql.all("figures", FiguresRow, first=period[0], last=period[1])
        bans = [row for row in rows if row.subject == "ban"]
        total = sum(row.received for row in bans)
        share = round(sum(row.automatic for row in bans) / total, 3) if total else None
        return TransparencyFigures(*period, share, rows)

    def this_year(self) -> tuple[str, str]:
        today = self._clock.now().date()
        return today.replace(month=1, day=1).isoformat(), today.isoformat()


def _period(first: str, last: str) -> tuple[date, date]:
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError as error:
        raise Invalid(period=PERIOD) from error
    if not 0 <= (end - start).days < MOST_DAYS:
        raise Invalid(period=PERIOD)
    return start, end


def as_json(figures: TransparencyFigures) -> str:
    return msgspec.json.format(msgspec.json.encode(figures), indent=2).decode()
