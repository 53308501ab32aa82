"""Sign-ins: who asks, by a token that only its holder knows.

Keeps the SHA-256 of a token (a random UUID, version 4), never the token. Promises one statement for each
look-up, and a renewal at most once a day; a guest is kept `guest_days`, a guest with access `member_days`,
both from the last renewal. Refuses expired and ended sessions alike; what is no token costs no query.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime

import msgspec

from models.clock import Clock
from models.config import Config
from models.db import Db, Transaction
from models.ids import is_id, new_id
from models.members import Member
from models.news import News, SignedOut


class NewSession(msgspec.Struct, frozen=True):
    """The only record that ever holds the token."""

    token: str
    session_id: str


class EndedSession(msgspec.Struct, frozen=True):
    user_id: str
    session_id: str
    reason: str


class Sessions:
    def __init__(self, db: Db, clock: Clock, config: Config, news: News) -> None:
        self._clock, self._config, self._news = clock, config, news
        self._sql = db.statements("sessions")

    async def create(self, user_id: str, *, on: Transaction | None = None) -> NewSession:
        new = NewSession(token=str(uuid.uuid4()), session_id=new_id())
        await self._sql.run(
            "create",
            on=on,
            session_id=new.session_id,
            token_hash=hash_of(new.token),
            user_id=user_id,
            guest_days=self._config.guest_days,
            now=self._clock.frozen,
        )
        return new

    async def find(self, token: str, *, on: Transaction | None = None) -> Member | None:
        """The member whose token this is, banned or not; None when it is none, expired or ended."""
        if not is_token(token):
            return None
        found = await self._sql.one(
            "find",
            Member,
            on=on,
            token_hash=hash_of(token),
            member_days=self._config.member_days,
            now=self._clock.frozen,
        )
        if found is not None and found.was_renewed:
            await self._renew(found.session_id)
        return found

    async def _renew(self, session_id: str) -> None:
        days = self._config.guest_days
        await self._sql.run("renew", session_id=session_id, guest_days=days, now=self._clock.frozen)

    async def end(self, session_id: str, reason: str) -> None:
        """Its sockets are told, in every process. Ending it twice tells nobody twice."""
        ended = await self._sql.one(
            "end_one", EndedSession, session_id=session_id, reason=reason, now=self._clock.frozen
        )
        if ended is not None:
            self._news.about_user(ended.user_id, SignedOut(session_id=session_id, reason=reason))

    async def ended_since(self, instant: datetime) -> list[EndedSession]:
        """For the sweep: whatever news was lost, an ended session's sockets are closed."""
        return await self._sql.all("ended_since", EndedSession, since=instant)


def is_token(token: str) -> bool:
    """A UUID of version 4 as we write them (RFC 9562)."""
    return is_id(token) and token[14] == "4" and token[19] in "89ab"


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
