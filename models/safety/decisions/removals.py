"""Removals: a moderator takes the selfie or intro video off a card, by a rule and with a reason.

A removal holds a copy of the file for REPORT_DAYS, so that an appeal can restore it
(`models.safety.decisions.removal_appeals`); from the card it is gone at once. A user without a selfie is off
the queue until they take a new one. The owner reads the reasons on the removal's page. Raises: NotFound,
Conflict (replaced since), Invalid.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from models.broadcasts import Broadcasts, Unlisted
from models.clock import Clock
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id, new_id
from models.messages import instant
from models.postgres.database import Db, Transaction
from models.profiles.media import Media, MediaKind
from models.profiles.screening.removed_pictures import RemovedPictures
from models.profiles.users import RemovalJson
from models.safety.decisions.clauses import CLAUSES
from models.safety.decisions.decision_emails import DecisionEmails
from models.security.audit_log import Audit, why

REPLACED = "It is no longer on the card. Reload the page."


class Removal(msgspec.Struct, frozen=True):
    """A removal and its appeal; `appealed_at` is None until there is one. Settled: there is a new file."""

    removal_id: str
    user_id: str
    kind: MediaKind
    rule: str
    reason: str
    removed_at: datetime
    settled_at: datetime | None
    appeal_text: str | None
    appealed_at: datetime | None
    verdict: str | None
    reply: str | None

    @property
    def path(self) -> str:
        return f"/removals/{self.removal_id}"

    @property
    def is_automatic(self) -> bool:
        """Removals are always decided by a person."""
        return False

    @property
    def json(self) -> RemovalJson:
        return RemovalJson(
            removal_id=self.removal_id,
            kind=self.kind,
            rule=self.rule,
            reason=self.reason,
            removed_at=instant(self.removed_at),
            url=self.path,
        )


class Removals:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        broadcasts: Broadcasts,
        media: Media,
        pictures: RemovedPictures,
        audit: Audit,
        emails: DecisionEmails,
    ) -> None:
        self._db, self._clock, self._broadcasts = db, clock, broadcasts
        self._media, self._pictures = media, pictures
        self._audit, self._emails = audit, emails
        self._sql = db.statements("safety.removals")

    async def remove(
        self, user_id: str, typed: str, media_id: str, moderator_id: str, reason: str, rule: str = "other"
    ) -> str:
        """Removes a selfie or video and returns the removal's id. `typed` is the kind, `media_id` what the
        moderator was shown.
        """
        kind, reason = kind_of(typed), why(reason)
        if rule not in CLAUSES:
            raise Invalid(rule="Choose the rule that was broken.")
        if not is_id(user_id) or not is_id(media_id):
            raise NotFound("There is no such picture or video.")
        removal_id = new_id()
        values: dict[str, Any] = {"user_id": user_id, "kind": kind, "media_id": media_id}
        async with self._db.transaction() as on:
            if not await self._sql.run("uncover", on=on, **values):
                raise await self._refusal(user_id, on)
            removed_by = moderator_id if is_id(moderator_id) else None
            about = {"removal_id": removal_id, "rule": rule, "reason": reason, "removed_by": removed_by}
            await self._sql.run("keep", on=on, now=self._clock.frozen, **about, **values)
            await self._pictures.remember(removal_id, media_id, on=on)
            await self._media.delete_older(user_id, kind, None, on=on)
            await self._emails.write("removal", removal_id, on=on)
            await self._audit.write(moderator_id, f"{kind}.remove", f"user {user_id}", reason, on=on)
        if kind == "selfie":
            self._broadcasts.publish_to_user(user_id, Unlisted())
        return removal_id

    async def _refusal(self, user_id: str, on: Transaction) -> NotFound | Conflict:
        is_there = await self._sql.value("is_there", on=on, user_id=user_id)
        return Conflict(REPLACED) if is_there else NotFound("There is no such person.")

    async def of(self, user_id: str) -> dict[str, Removal]:
        """Removals that have not been settled yet, by kind."""
        found = await self._sql.all("of_user", Removal, user_id=user_id)
        return {one.kind: one for one in found if one.settled_at is None}

    async def all_of(self, user_id: str) -> list[Removal]:
        """All removals of a user, newest first."""
        return await self._sql.all("of_user", Removal, user_id=user_id)

    async def own(self, removal_id: str, user_id: str) -> Removal:
        """A removal for its owner. Raises: NotFound."""
        found = await self.get(removal_id)
        if found.user_id != user_id:
            raise NotFound
        return found

    async def get(self, removal_id: str) -> Removal:
        """Raises: NotFound."""
        found = await self._sql.one("find", Removal, removal_id=removal_id) if is_id(removal_id) else None
        if found is None:
            raise NotFound
        return found


def kind_of(typed: str) -> MediaKind:
    """Raises Invalid."""
    if typed == "selfie":
        return "selfie"
    if typed == "video":
        return "video"
    raise Invalid(kind="Choose selfie or video.")
