"""Appeals against removals: once, by the owner, decided by another moderator than the one who removed.

Overturning restores the file from the held copy, under a new id, unless its owner has a new one by now; the
old id is dead in backups as well. Raises: NotFound, Conflict (second appeal, already decided), NotAllowed
(their own removal), Invalid.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from models.broadcasts import Broadcasts, Reload
from models.clock import Clock
from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.ids import is_id, new_id
from models.mail.alerts import Alerts
from models.postgres.database import Db, Transaction, UniqueViolation
from models.profiles.media import MediaFile, MediaKind
from models.profiles.screening.removed_pictures import RemovedPictures
from models.safety.appeals import MOST_CHARACTERS, OTHER, PAGE, AppealVerdict, check_text, verdict_of
from models.safety.decisions.decision_emails import DecisionEmails
from models.safety.decisions.removals import Removal, Removals
from models.security.audit_log import Audit, staff_of


class OpenRemovalAppeal(msgspec.Struct, frozen=True):
    """An appeal for moderators; `removed_by` may not decide it."""

    removal_id: str
    user_id: str
    name: str
    kind: MediaKind
    rule: str
    reason: str
    removed_at: datetime
    text: str
    filed_at: datetime
    removed_by: str | None
    handed_at: datetime | None


class RemovalAppeals:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        broadcasts: Broadcasts,
        removals: Removals,
        pictures: RemovedPictures,
        audit: Audit,
        alerts: Alerts,
        emails: DecisionEmails,
    ) -> None:
        self._db, self._clock, self._broadcasts = db, clock, broadcasts
        self._removals, self._pictures = removals, pictures
        self._audit, self._alerts, self._emails = audit, alerts, emails
        self._sql = db.statements("safety.removal_appeals")

    async def file(self, removal_id: str, user_id: str, text: str) -> None:
        """Files the owner's appeal. Raises: NotFound, Invalid (`text`), Conflict."""
        await self._removals.own(removal_id, user_id)
        values = {"removal_id": removal_id, "text": check_text(text), "now": self._clock.frozen}
        async with self._db.transaction() as on:
            if not await self._sql.run("file", on=on, **values):
                raise Conflict("You have already appealed.")
            if await self._sql.run("hand_over_if_alone", on=on, removal_id=removal_id):
                await self._emails.write("removal_appeal", removal_id, on=on)
            await self._alerts.note_waiting("appeal", on=on)

    async def queue(self, most: int = PAGE) -> list[OpenRemovalAppeal]:
        """Open appeals, oldest first."""
        return await self._sql.all("queue", OpenRemovalAppeal, most=most)

    async def get(self, removal_id: str) -> OpenRemovalAppeal:
        """An open appeal. Raises: NotFound."""
        found = None
        if is_id(removal_id):
            found = await self._sql.one("open", OpenRemovalAppeal, removal_id=removal_id)
        if found is None:
            raise NotFound("There is no open appeal against this removal.")
        return found

    async def hand_over(self, removal_id: str, moderator_id: str) -> None:
        """Hands an appeal to the operator by e-mail. Raises: NotFound, Conflict (done already)."""
        await self.get(removal_id)
        async with self._db.transaction() as on:
            if not await self._sql.run("hand_over", on=on, removal_id=removal_id, now=self._clock.frozen):
                raise Conflict("It was handed over already.")
            await self._emails.write("removal_appeal", removal_id, on=on)
            await self._audit.write(moderator_id, "appeal.hand_over", f"removal {removal_id}", on=on)

    async def shown_file(self, removal_id: str, viewer: str) -> MediaFile:
        """The held file of an open appeal; the view is in the audit log. Raises: NotFound."""
        await self.get(removal_id)
        found = await self._sql.one("held", MediaFile, removal_id=removal_id)
        if found is None:
            raise NotFound("There is no such file.")
        await self._audit.note(viewer, "removal.media", f"removal {removal_id}")
        return found

    async def judge(self, removal_id: str, moderator_id: str, verdict: str, reply: str) -> None:
        """Decides with a verdict from a form. The operator decides only what was handed over.

        Raises: Invalid (`verdict`, `reply`), NotFound, NotAllowed, Conflict.
        """
        known = verdict_of(verdict, "Choose whether the file stays removed.")
        if not 1 <= len(reply.strip()) <= MOST_CHARACTERS:
            raise Invalid(reply=f"Write 1 to {MOST_CHARACTERS} characters.")
        removal = await self._removals.get(removal_id)
        async with self._db.transaction() as on:
            await self._decide(removal, moderator_id, known, reply.strip(), on)
            if known == "overturned":
                await self._restore(removal, on)
            action, target = f"removal_appeal.{known}", f"user {removal.user_id}"
            await self._audit.write(moderator_id, action, target, reply, on=on)
        self._broadcasts.publish_to_user(removal.user_id, Reload())

    async def _decide(
        self, removal: Removal, moderator_id: str, verdict: AppealVerdict, reply: str, on: Transaction
    ) -> None:
        by = staff_of(moderator_id)
        values: dict[str, Any] = {"removal_id": removal.removal_id, "moderator_id": by}
        values |= {"verdict": verdict, "reply": reply, "now": self._clock.frozen}
        await self._sql.run("lock_user", on=on, user_id=removal.user_id)
        try:
            is_first = await self._sql.run("decide", on=on, **values)
        except UniqueViolation as violation:
            raise NotAllowed(OTHER) from violation
        if not is_first:
            raise Conflict("There is no open appeal against this removal.")

    async def _restore(self, removal: Removal, on: Transaction) -> None:
        values: dict[str, Any] = {"removal_id": removal.removal_id, "media_id": new_id()}
        await self._sql.run("restore", on=on, now=self._clock.frozen, **values)
        await self._pictures.forget(removal.removal_id, on=on)
