"""Who asks, by their token: a member, a banned person who is told why, or nobody.

A ban ends its person's sessions. Whoever still holds the token of one is told about the ban instead of being
asked to sign in, and gets the session back once the ban is over: a guest has no other key. An account has its
password and one session at a time, so it signs in again.
"""

from __future__ import annotations

from typing import NamedTuple

from models.errors import Banned
from models.safety.ban_notices import BanNotices
from models.security.member import Member
from models.security.sessions import BANNED, Sessions


class Asker(NamedTuple):
    """`refusal` is set while a ban stands; `member` may be None then, and also without one."""

    member: Member | None
    refusal: Banned | None


class Admission:
    def __init__(self, sessions: Sessions, notices: BanNotices) -> None:
        self._sessions, self._notices = sessions, notices

    async def of(self, token: str | None) -> Asker:
        """One statement for everybody who is neither banned nor signed out."""
        if token is None:
            return Asker(None, None)
        member = await self._sessions.find(token)
        if member is None:
            return await self._ended(token)
        if member.is_banned:
            return Asker(member, await self._notices.refusal(member.user_id))
        return Asker(member, None)

    async def _ended(self, token: str) -> Asker:
        ended = await self._sessions.ended(token)
        if ended is None or ended.reason != BANNED:
            return Asker(None, None)
        notice = await self._notices.find(ended.user_id)
        if notice is not None:
            return Asker(None, notice.refusal)
        await self._sessions.revive(ended.session_id)
        return Asker(await self._sessions.find(token), None)
