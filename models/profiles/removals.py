"""Removals: a moderator takes the selfie or intro video off a card, with a reason.

The reason is stored for each kind until it is replaced. The bytes are deleted at once. A user without a
selfie is off the queue until they take a new one. The owner can read the reason, and the removal is in the
audit log. Raises: NotFound, Conflict (replaced since), Invalid.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.broadcasts import Broadcasts, Unlisted
from models.clock import Clock
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id
from models.messages import JsonStruct, instant
from models.postgres.database import Db, Transaction
from models.profiles.media import Media, MediaKind
from models.security.audit_log import Audit, why

REPLACED = "It is no longer on the card. Reload the page."


class Removal(msgspec.Struct, frozen=True):
    kind: MediaKind
    reason: str
    removed_at: datetime

    @property
    def json(self) -> RemovalJson:
        return RemovalJson(kind=self.kind, reason=self.reason, removed_at=instant(self.removed_at))


class RemovalJson(JsonStruct, frozen=True, kw_only=True):
    """One of `removed` in `GET /user/me`."""

    kind: MediaKind
    reason: str
    removed_at: str


class Removals:
    def __init__(self, db: Db, clock: Clock, broadcasts: Broadcasts, media: Media, audit: Audit) -> None:
        self._db, self._clock, self._broadcasts = db, clock, broadcasts
        self._media, self._audit = media, audit
        self._sql = db.statements("profiles.removals")

    async def remove(self, user_id: str, typed: str, media_id: str, moderator_id: str, reason: str) -> None:
        """Removes a selfie or video. `typed` is the kind, `media_id` what the moderator was shown."""
        kind, reason = kind_of(typed), why(reason)
        if not is_id(user_id) or not is_id(media_id):
            raise NotFound("There is no such picture or video.")
        values = {"user_id": user_id, "kind": kind}
        async with self._db.transaction() as on:
            if not await self._sql.run("uncover", on=on, media_id=media_id, **values):
                raise await self._refusal(user_id, on)
            await self._media.delete_older(user_id, kind, None, on=on)
            await self._sql.run("keep", on=on, reason=reason, now=self._clock.frozen, **values)
            await self._audit.write(moderator_id, f"{kind}.remove", f"user {user_id}", reason, on=on)
        if kind == "selfie":
            self._broadcasts.publish_to_user(user_id, Unlisted())

    async def _refusal(self, user_id: str, on: Transaction) -> NotFound | Conflict:
        is_there = await self._sql.value("is_there", on=on, user_id=user_id)
        return Conflict(REPLACED) if is_there else NotFound("There is no such person.")

    async def of(self, user_id: str) -> dict[str, Removal]:
        """Removals that have not been replaced yet, by kind."""
        return {one.kind: one for one in await self._sql.all("of_user", Removal, user_id=user_id)}


def kind_of(typed: str) -> MediaKind:
    """Raises Invalid."""
    if typed == "selfie":
        return "selfie"
    if typed == "video":
        return "video"
    raise Invalid(kind="Choose selfie or video.")
