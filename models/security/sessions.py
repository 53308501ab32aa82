"""Sign-ins: who asks, by a token that only its holder knows.

Keeps the SHA-256 of a token (a random UUID, version 4), never the token. Promises one statement for each
look-up, and a renewal at most once a day; a guest is kept `guest_days`, a guest with access `member_days`, an
account `account_days`, all from the last renewal. A rotated session is the same session under a new token:
its sockets stay. Refuses expired and ended sessions alike; what is no token costs no query.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime

import msgspec

from models.broadcasts import News, SignedOut
from models.clock import Clock
from models.errors import NotSignedIn
from models.ids import is_id, new_id
from models.messages import Access, Wire, instant
from models.postgres.database import Db, Transaction
from models.security.member import Member
from models.settings.config import Config

# Why a ban ends a session.
BANNED = "banned"


class NewSession(msgspec.Struct, frozen=True):
    """The only record that ever holds the token."""

    token: str
    session_id: str


class SignedIn(msgspec.Struct, frozen=True):
    """Somebody with the token of their session, which is shown once."""

    token: str
    member: Member

    def as_json(self) -> SignedInTold:
        return SignedInTold(
            session_token=self.token,
            user_id=self.member.user_id,
            expires_at=instant(self.member.expires_at),
            access=self.member.access,
        )


class SignedInTold(Wire, frozen=True, kw_only=True):
    session_token: str
    user_id: str
    expires_at: str
    access: Access
    # Only when there are new ones: shown once.
    recovery_codes: list[str] | None = None


class EndedSession(msgspec.Struct, frozen=True):
    user_id: str
    session_id: str
    reason: str


class Sessions:
    def __init__(self, db: Db, clock: Clock, config: Config, news: News) -> None:
        self._clock, self._config, self._news = clock, config, news
        self._sql = db.statements("security.sessions")

    async def create(self, user_id: str, *, on: Transaction | None = None) -> NewSession:
        new = NewSession(token=str(uuid.uuid4()), session_id=new_id())
        await self._sql.run(
            "create",
            on=on,
            session_id=new.session_id,
            token_hash=hash_of(new.token),
            user_id=user_id,
            guest_days=self._config.guest_days,
            account_days=self._config.account_days,
            now=self._clock.frozen,
        )
        return new

    async def rotate(self, session_id: str, *, on: Transaction) -> NewSession:
        """A new token for the same session; the old one is dead. Raises NotSignedIn when it has ended."""
        token = str(uuid.uuid4())
        values = {"session_id": session_id, "token_hash": hash_of(token), "now": self._clock.frozen}
        days = {"guest_days": self._config.guest_days, "account_days": self._config.account_days}
        if not await self._sql.run("rotate", on=on, **values, **days):
            raise NotSignedIn
        return NewSession(token=token, session_id=session_id)

    async def signed_in(self, new: NewSession, *, on: Transaction) -> SignedIn:
        """Who has just been given this session, by the same transaction."""
        member = await self.find(new.token, on=on)
        assert member is not None, "a session found by its own transaction"
        return SignedIn(token=new.token, member=member)

    async def find(self, token: str, *, on: Transaction | None = None) -> Member | None:
        """The member whose token this is, banned or not; None when it is none, expired or ended."""
        if not is_token(token):
            return None
        return await self._found(on, token_hash=hash_of(token), session_id=None)

    async def again(self, session_id: str) -> Member | None:
        """The member as they are now, by a session that was found before, whatever its token is today."""
        return await self._found(None, token_hash=None, session_id=session_id)

    async def _found(self, on: Transaction | None, **by: object) -> Member | None:
        days = self._config.member_days
        found = await self._sql.one("find", Member, on=on, member_days=days, now=self._clock.frozen, **by)
        if found is not None and found.was_renewed:
            await self._renew(found)
        return found

    async def _renew(self, member: Member) -> None:
        days = self._config.account_days if member.is_account else self._config.guest_days
        await self._sql.run("renew", session_id=member.session_id, days=days, now=self._clock.frozen)

    async def end(self, session_id: str, reason: str) -> None:
        """Its sockets are told, in every process. Ending it twice tells nobody twice."""
        ended = await self._sql.all(
            "end_one", EndedSession, session_id=session_id, reason=reason, now=self._clock.frozen
        )
        self.tell(ended)

    async def end_others(
        self, user_id: str, session_id: str | None, reason: str, *, on: Transaction
    ) -> list[EndedSession]:
        """All of a person's but this one; `tell` after the commit."""
        values = {"user_id": user_id, "session_id": session_id, "reason": reason, "now": self._clock.frozen}
        return await self._sql.all("end_others", EndedSession, on=on, **values)

    def tell(self, ended: list[EndedSession]) -> None:
        """Their sockets are closed, in every process."""
        for one in ended:
            self._news.about_user(one.user_id, SignedOut(session_id=one.session_id, reason=one.reason))

    async def why_ended(self, token: str) -> str | None:
        """The reason, for whoever still holds the token of a session that was ended."""
        ended = await self.ended(token)
        return None if ended is None else ended.reason

    async def ended(self, token: str) -> EndedSession | None:
        """The session of this token, if it was ended."""
        if not is_token(token):
            return None
        return await self._sql.one("ended", EndedSession, token_hash=hash_of(token))

    async def revive(self, session_id: str) -> None:
        """A guest's session that a ban had ended, after it: there is no other way back in for them."""
        await self._sql.run("revive", session_id=session_id)

    async def ended_since(self, instant: datetime) -> list[EndedSession]:
        """For the sweep: whatever news was lost, an ended session's sockets are closed.

        Those that a ban ended are closed by it (`models.safety.bans`).
        """
        return await self._sql.all("ended_since", EndedSession, since=instant)


def is_token(token: str) -> bool:
    """A UUID of version 4 as we write them (RFC 9562)."""
    return is_id(token) and token[14] == "4" and token[19] in "89ab"


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
