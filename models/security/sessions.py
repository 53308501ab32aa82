"""Sessions: sign-ins identified by a token that only the client has.

The SHA-256 of a token (a random UUID, version 4) is stored, never the token. A look-up is one statement; a
session is renewed at most once a day. From the last renewal a guest is kept `guest_days`, a guest with access
`member_days`, an account `account_days`. A rotated session is the same session with a new token, so its
sockets stay open. Expired and ended sessions are not found. A malformed token costs no query.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec

from models.broadcasts import Broadcasts, SignedOut
from models.clock import Clock
from models.errors import NotSignedIn
from models.ids import new_id
from models.messages import Access, JsonStruct, instant
from models.postgres.database import Db, Transaction
from models.security.member import Member
from models.security.tokens import hash_of, is_token
from models.settings.config import Config

# The reason of sessions that a ban ended.
BANNED = "banned"


class NewSession(msgspec.Struct, frozen=True):
    """The only record that has the token."""

    token: str
    session_id: str


class SignedIn(msgspec.Struct, frozen=True):
    """A member with the token of a new session, which is shown once."""

    token: str
    member: Member

    def as_json(self) -> SignedInJson:
        return SignedInJson(
            session_token=self.token,
            user_id=self.member.user_id,
            expires_at=instant(self.member.expires_at),
            access=self.member.access,
        )


class SignedInJson(JsonStruct, frozen=True, kw_only=True):
    session_token: str
    user_id: str
    expires_at: str
    access: Access
    # Only if new ones were made; shown once.
    recovery_codes: list[str] | None = None


class EndedSession(msgspec.Struct, frozen=True):
    user_id: str
    session_id: str
    reason: str


class Sessions:
    def __init__(
        self, db: Db, clock: Clock, config: Config, broadcasts: Broadcasts, terms_version: str
    ) -> None:
        self._clock, self._config, self._broadcasts = clock, config, broadcasts
        self._terms_version = terms_version
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
        """Replaces the session's token. Raises: NotSignedIn if the session has ended."""
        token = str(uuid.uuid4())
        values = {"session_id": session_id, "token_hash": hash_of(token), "now": self._clock.frozen}
        days = {"guest_days": self._config.guest_days, "account_days": self._config.account_days}
        if not await self._sql.run("rotate", on=on, **values, **days):
            raise NotSignedIn
        return NewSession(token=token, session_id=session_id)

    async def signed_in(self, new: NewSession, *, on: Transaction) -> SignedIn:
        """The member of a session created or rotated in the same transaction."""
        member = await self.find(new.token, on=on)
        assert member is not None, "a session found by its own transaction"
        return SignedIn(token=new.token, member=member)

    async def find(self, token: str, *, on: Transaction | None = None) -> Member | None:
        """The member with this token, banned or not. None if it is malformed, unknown, expired or ended."""
        if not is_token(token):
            return None
        return await self._found(on, token_hash=hash_of(token), session_id=None)

    async def again(self, session_id: str) -> Member | None:
        """The current state of a member, by the id of a known session. The token may have changed since."""
        return await self._found(None, token_hash=None, session_id=session_id)

    async def _found(self, on: Transaction | None, **by: object) -> Member | None:
        values: dict[str, Any] = {"member_days": self._config.member_days}
        values["terms_version"] = self._terms_version
        values["asks_age_proof"] = self._config.asks_age_proof
        found = await self._sql.one("find", Member, on=on, now=self._clock.frozen, **values, **by)
        if found is not None and found.was_renewed:
            await self._renew(found)
        return found

    async def _renew(self, member: Member) -> None:
        days = self._config.account_days if member.is_account else self._config.guest_days
        await self._sql.run("renew", session_id=member.session_id, days=days, now=self._clock.frozen)

    async def end(self, session_id: str, reason: str) -> None:
        """Ends a session and notifies its sockets in every process, once."""
        ended = await self._sql.all(
            "end_one", EndedSession, session_id=session_id, reason=reason, now=self._clock.frozen
        )
        self.publish(ended)

    async def end_others(
        self, user_id: str, session_id: str | None, reason: str, *, on: Transaction
    ) -> list[EndedSession]:
        """Ends all sessions of a user but this one. Call `publish` after the commit."""
        values = {"user_id": user_id, "session_id": session_id, "reason": reason, "now": self._clock.frozen}
        return await self._sql.all("end_others", EndedSession, on=on, **values)

    def publish(self, ended: list[EndedSession]) -> None:
        """Publishes the end of sessions; every process closes their sockets."""
        for one in ended:
            self._broadcasts.publish_to_user(
                one.user_id, SignedOut(session_id=one.session_id, reason=one.reason)
            )

    async def why_ended(self, token: str) -> str | None:
        """The reason why the session of this token ended, or None."""
        ended = await self.ended(token)
        return None if ended is None else ended.reason

    async def ended(self, token: str) -> EndedSession | None:
        """The session of this token, if it was ended."""
        if not is_token(token):
            return None
        return await self._sql.one("ended", EndedSession, token_hash=hash_of(token))

    async def revive(self, session_id: str) -> None:
        """Reopens a guest's session that a ban ended; a guest cannot sign in again."""
        await self._sql.run("revive", session_id=session_id)

    async def ended_since(self, instant: datetime) -> list[EndedSession]:
        """Sessions ended since, for the sweep that closes their sockets if an event was lost.

        Without those that a ban ended (`models.safety.bans` closes them).
        """
        return await self._sql.all("ended_since", EndedSession, since=instant)
