"""Members for staff: search by id, name or e-mail, invite tree, and past calls.

No chat text is shown. Searches and views are in the audit log. Deleted users are not found.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.errors import NotFound
from models.ids import is_id
from models.postgres.database import Db
from models.profiles.media import Media, MediaFile, MediaKind
from models.security.audit_log import Audit

MOST_FOUND, MOST_CALLS, MOST_BROUGHT = 50, 50, 100
LONGEST_QUERY = 254


class FoundMember(msgspec.Struct, frozen=True):
    user_id: str
    name: str
    email: str | None
    created_at: datetime
    is_banned: bool


class MemberPage(msgspec.Struct, frozen=True):
    """A user's page. `access` lists the reasons for access; `inviter_id` is None without an invite."""

    user_id: str
    name: str
    gender: str
    selfie_id: str | None
    video_id: str | None
    created_at: datetime
    successful_calls: int
    email: str | None
    access: list[str] | None
    inviter_id: str | None
    inviter_name: str | None
    code_uses: int | None
    code_limit: int | None
    terms_version: str | None
    terms_at: datetime | None


class Invitee(msgspec.Struct, frozen=True):
    """A user in the invite tree. Depth 0 joined with the user's own code, depth 1 with a code of those."""

    depth: int
    user_id: str
    name: str
    used_at: datetime


class MemberCall(msgspec.Struct, frozen=True):
    """A call. `connected_ms` and `ended_reason` are None while it is live."""

    call_id: str
    started_at: datetime
    state: str
    connected_ms: int | None
    ended_reason: str | None

    @property
    def seconds(self) -> int:
        return (self.connected_ms or 0) // 1000


class EndedCall(MemberCall, frozen=True, kw_only=True):
    partner_id: str
    partner_name: str


class Members:
    def __init__(self, db: Db, media: Media, audit: Audit) -> None:
        self._media, self._audit = media, audit
        self._sql = db.statements("console.members")

    async def search(self, typed: str, moderator_id: str) -> list[FoundMember]:
        """Searches by id, e-mail address, or part of a name.

        The audit log records the number of results, not the query, which may be a name.
        """
        words = typed.strip()[:LONGEST_QUERY].replace("\x00", "")
        if not words:
            return []
        key = words.lower()
        user_id = key if is_id(key) else None
        found = await self._sql.all(
            "search", FoundMember, user_id=user_id, email_key=key, words=words, most=MOST_FOUND
        )
        await self._audit.note(moderator_id, "people.search", "people", f"{len(found)} found")
        return found

    async def shown(self, user_id: str, moderator_id: str) -> MemberPage:
        """A user's page; the view is in the audit log. Raises: NotFound."""
        found = await self.get(user_id)
        await self._audit.note(moderator_id, "person.look", f"user {user_id}")
        return found

    async def get(self, user_id: str) -> MemberPage:
        """Raises: NotFound."""
        found = await self._sql.one("find", MemberPage, user_id=user_id) if is_id(user_id) else None
        if found is None:
            raise NotFound("There is no such user.")
        return found

    async def brought(self, user_id: str) -> list[Invitee]:
        return await self._sql.all("brought", Invitee, user_id=user_id, most=MOST_BROUGHT)

    async def calls(self, user_id: str) -> list[EndedCall]:
        """Calls of a user, newest first, including a live one."""
        return await self._sql.all("calls", EndedCall, user_id=user_id, most=MOST_CALLS)

    async def call(self, call_id: str) -> MemberCall | None:
        return await self._sql.one("call", MemberCall, call_id=call_id)

    async def on_card(self, user_id: str, kind: MediaKind) -> MediaFile:
        """The selfie or intro video on the card. Raises: NotFound."""
        person = await self.get(user_id)
        media_id = person.selfie_id if kind == "selfie" else person.video_id
        file = await self._media.find(media_id, user_id) if media_id else None
        if file is None:
            raise NotFound("There is no such picture or video.")
        return file
