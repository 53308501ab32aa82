"""Reports for moderators: the queue by gravity, the evidence, and one decision per report.

The first decision counts. Its effect on the reporter's reputation follows automatically
(`models.safety.reputation`). Raises: NotFound, Conflict (already decided).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from models.clock import Clock
from models.errors import Conflict, NotFound
from models.ids import is_id
from models.postgres.database import Db
from models.profiles.media import MediaFile, MediaKind
from models.safety.decisions.decision_emails import DecisionEmails
from models.security.audit_log import Audit

ReportVerdict = Literal["upheld", "dismissed"]
FIRST_ID = "00000000-0000-0000-0000-000000000000"
PAGE, MOST_OF_ONE = 50, 200
RANKS = {"minor": 1, "nudity": 2}
DEADLINE_HOURS = {"minor": 24, "nudity": 48}
JUDGED = "This report has already been decided."


class Report(msgspec.Struct, frozen=True):
    """A report. `lines` and `media` are the numbers of attached chat lines and of held media, `name_then` is
    the reported user's name at the time; `upheld` and `dismissed` count the decisions about its reporter's
    reports.
    """

    report_id: str
    reporter_id: str
    reporter_name: str
    reported_id: str
    reported_name: str
    name_then: str | None
    call_id: str | None
    source: Literal["met", "card"]
    reason: str
    text: str | None
    created_at: datetime
    # Since when its reason is as grave as it is.
    grave_since: datetime
    lines: int
    frames: int
    media: int
    upheld: int
    dismissed: int
    verdict: ReportVerdict | None
    reviewed_by: str | None
    reviewed_at: datetime | None

    @property
    def counts(self) -> bool:
        """Whether it counts towards an automatic ban; how much, the reporter's reputation decides."""
        return self.source == "met"

    @property
    def rank(self) -> int:
        """Its place in the queue: 1 under age, 2 nudity, 3 all others."""
        return RANKS.get(self.reason, 3)

    @property
    def due_at(self) -> datetime | None:
        """When it must be decided. None: there is no deadline."""
        hours = DEADLINE_HOURS.get(self.reason)
        return None if hours is None else self.grave_since + timedelta(hours=hours)


class Addition(msgspec.Struct, frozen=True):
    """A further report of the same reporter."""

    reason: str
    source: Literal["met", "card"]
    call_id: str | None
    text: str | None
    created_at: datetime


class HeldMedia(msgspec.Struct, frozen=True):
    """A selfie or an intro video of the card at the time of the report; `detached_at`: its deletion."""

    media_id: str
    kind: MediaKind
    content_type: str
    byte_size: int
    detached_at: datetime | None
    has_preview: bool
    # Of a video: a picture of it.
    has_frame: bool


class ReportedLine(msgspec.Struct, frozen=True):
    message_id: str
    sender_id: str
    text: str
    sent_at: datetime


class ReportReviews:
    def __init__(self, db: Db, clock: Clock, audit: Audit, emails: DecisionEmails) -> None:
        self._db, self._clock, self._audit, self._emails = db, clock, audit, emails
        self._sql = db.statements("safety.report_reviews")

    async def queue(self, after: Report | None = None, most: int = PAGE) -> list[Report]:
        """Open reports, after the last one of the previous page.

        Reports of under-age users come first, then nudity, then the rest; within each those that count
        towards a ban, oldest first.
        """
        return await self._sql.all(
            "queue",
            Report,
            after_rank=after.rank if after else 0,
            after_light=after is not None and not after.counts,
            after_at=after.created_at if after else datetime.min.replace(tzinfo=UTC),
            after_id=after.report_id if after else FIRST_ID,
            most=most,
        )

    async def get(self, report_id: str) -> Report:
        """A report by id. Raises: NotFound."""
        found = await self._some(report_id=report_id) if is_id(report_id) else []
        if not found:
            raise NotFound("There is no such report.")
        return found[0]

    async def shown(self, report_id: str, moderator_id: str) -> Report:
        """A report for its page; the view is in the audit log. Raises: NotFound."""
        found = await self.get(report_id)
        await self._audit.note(moderator_id, "report.look", f"report {report_id}")
        return found

    async def about(self, user_id: str) -> list[Report]:
        """The newest reports about a user."""
        return await self._some(reported_id=user_id)

    async def by(self, user_id: str) -> list[Report]:
        """The newest reports by a user."""
        return await self._some(reporter_id=user_id)

    async def _some(
        self, *, report_id: str | None = None, reported_id: str | None = None, reporter_id: str | None = None
    ) -> list[Report]:
        """The reports selected by one of the three ids, in one statement."""
        values: dict[str, Any] = {
            "report_id": report_id,
            "reported_id": reported_id,
            "reporter_id": reporter_id,
        }
        return await self._sql.all("some", Report, most=MOST_OF_ONE, **values)

    async def lines(self, report_id: str) -> list[ReportedLine]:
        return await self._sql.all("lines", ReportedLine, report_id=report_id)

    async def shown_lines(self, report_id: str, moderator_id: str) -> list[ReportedLine]:
        """The attached chat lines; the view is in the audit log. Raises: NotFound."""
        await self.get(report_id)
        await self._audit.note(moderator_id, "report.evidence", f"report {report_id}")
        return await self.lines(report_id)

    async def additions(self, report_id: str) -> list[Addition]:
        """The reporter's further reports, oldest first."""
        return await self._sql.all("additions", Addition, report_id=report_id)

    async def media(self, report_id: str) -> list[HeldMedia]:
        """What the card showed at the time of the report, also if it was deleted later."""
        return await self._sql.all("media", HeldMedia, report_id=report_id)

    async def shown_media(self, report_id: str, media_id: str, moderator_id: str) -> MediaFile:
        """A held file; the view is in the audit log. Raises: NotFound."""
        found = None
        if is_id(report_id) and is_id(media_id):
            values: dict[str, Any] = {"report_id": report_id, "media_id": media_id}
            found = await self._sql.one("find_media", MediaFile, **values)
        if found is None:
            raise NotFound("There is no such file.")
        await self._audit.note(moderator_id, "report.media", f"report {report_id}")
        return found

    async def shown_still(self, report_id: str, media_id: str, moderator_id: str) -> bytes:
        """The frame of a held video; the view is in the audit log. Raises: NotFound."""
        values: dict[str, Any] = {"report_id": report_id, "media_id": media_id}
        is_known = is_id(report_id) and is_id(media_id)
        still = _found(await self._sql.value("still", **values) if is_known else None)
        await self._audit.note(moderator_id, "report.media", f"report {report_id}")
        return still

    async def preview(self, report_id: str, media_id: str) -> bytes:
        """A held file in 16 by 16 pixels. Raises: NotFound."""
        values: dict[str, Any] = {"report_id": report_id, "media_id": media_id}
        is_known = is_id(report_id) and is_id(media_id)
        return _found(await self._sql.value("preview", **values) if is_known else None)

    async def frame_preview(self, report_id: str, number: int) -> bytes:
        """An attached picture in 16 by 16 pixels. Raises: NotFound."""
        values: dict[str, Any] = {"report_id": report_id, "number": number}
        return _found(await self._sql.value("frame_preview", **values) if is_id(report_id) else None)

    async def shown_frame(self, report_id: str, number: int, moderator_id: str) -> bytes:
        """An attached picture; the view is in the audit log. Raises: NotFound."""
        frame = await self.frame(report_id, number) if is_id(report_id) else None
        if frame is None:
            raise NotFound("There is no such picture.")
        await self._audit.note(moderator_id, "report.frame", f"report {report_id}")
        return frame

    async def frame(self, report_id: str, number: int = 0) -> bytes | None:
        """A JPEG that the reporter attached; the first is 0."""
        found = await self._sql.value("frame", report_id=report_id, number=number)
        return None if found is None else bytes(found)

    async def judge(
        self, report_id: str, moderator_id: str, verdict: ReportVerdict, reason: str = ""
    ) -> None:
        """Decides a report. Raises: NotFound, Conflict."""
        await self.get(report_id)
        values = {"moderator_id": moderator_id, "verdict": verdict, "now": self._clock.frozen}
        async with self._db.transaction() as on:
            await self._sql.run("lock_reported", on=on, report_id=report_id)
            if not await self._sql.run("judge", on=on, report_id=report_id, **values):
                raise Conflict(JUDGED)
            await self._emails.write("outcome", report_id, on=on)
            action, target = f"report.{verdict}", f"report {report_id}"
            await self._audit.write(moderator_id, action, target, reason, on=on)


def _found(picture: memoryview | bytes | None) -> bytes:
    """Raises: NotFound."""
    if picture is None:
        raise NotFound("There is no such picture.")
    return bytes(picture)
