"""Authentication by session token, including users whose session was ended by a ban.

A ban ends the user's sessions. A request with the token of such a session gets the ban notice instead of a
request to sign in. After the ban a guest's session is revived, because a guest has no other way back. An
account signs in again with its password.
"""

from __future__ import annotations

from typing import NamedTuple

from models.errors import Banned
from models.safety.ban_notices import BanNotices
from models.security.member import Member
from models.security.sessions import BANNED, Sessions


class Identity(NamedTuple):
    """`refusal` is set while a ban is active; then `member` may be None. Both are None without a session."""

    member: Member | None
    refusal: Banned | None


class Authentication:
    def __init__(self, sessions: Sessions, notices: BanNotices) -> None:
        self._sessions, self._notices = sessions, notices

    async def of(self, token: str | None) -> Identity:
        """Runs one statement, unless the user is banned or the session has ended."""
        if token is None:
            return Identity(None, None)
        member = await self._sessions.find(token)
        if member is None:
            return await self._ended(token)
        if member.is_banned:
            return Identity(member, await self._notices.refusal(member.user_id))
        return Identity(member, None)

    async def _ended(self, token: str) -> Identity:
        ended = await self._sessions.ended(token)
        if ended is None or ended.reason != BANNED:
            return Identity(None, None)
        notice = await self._notices.find(ended.user_id)
        if notice is not None:
            return Identity(None, notice.refusal)
        await self._sessions.revive(ended.session_id)
        return Identity(await self._sessions.find(token), None)
