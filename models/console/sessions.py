"""Console sessions: their own token, at most twelve hours, expired after half an hour of inactivity.

The SHA-256 of a token is stored. A member's session is not valid here. A password without its second factor
opens nothing and lives for minutes. A disabled member of staff is signed out with the next request. The token
changes when the second factor is given.
"""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from models.clock import Clock
from models.errors import NotSignedIn
from models.ids import new_id
from models.postgres.database import Db, Transaction
from models.security.tokens import hash_of, is_token
from models.settings.config import Config

StaffRole = Literal["moderator", "admin"]
HALF_MINUTES = 10
# Ended sessions are deleted after this time.
KEPT_DAYS = 30


class StaffMember(msgspec.Struct, frozen=True):
    """The member of staff of a request; `has_passed` the second factor."""

    session_id: str
    staff_id: str
    name: str
    role: StaffRole
    has_passed: bool
    is_stale: bool = False

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


class StaffSessions:
    def __init__(self, db: Db, clock: Clock, config: Config) -> None:
        self._clock, self._config = clock, config
        self._sql = db.statements("console.sessions")

    async def create(self, staff_id: str, *, has_passed: bool, on: Transaction) -> str:
        """Creates a session and returns its token, which is not stored."""
        token = str(uuid.uuid4())
        values = {"session_id": new_id(), "token_hash": hash_of(token), "now": self._clock.frozen}
        await self._sql.run("create", on=on, staff_id=staff_id, is_passed=has_passed, **values)
        return token

    async def find(self, token: str | None) -> StaffMember | None:
        """The member of staff of a token; None if it is invalid, ended or expired."""
        if token is None or not is_token(token):
            return None
        return await self._sql.one(
            "find",
            StaffMember,
            token_hash=hash_of(token),
            hours=self._config.staff_session_hours,
            idle_minutes=self._config.staff_idle_minutes,
            half_minutes=HALF_MINUTES,
            now=self._clock.frozen,
        )

    async def touch(self, who: StaffMember) -> None:
        """Records activity of a person; automatic requests of a page do not count."""
        if who.is_stale:
            await self._sql.run("touch", session_id=who.session_id, now=self._clock.frozen)

    async def pass_second(self, session_id: str, *, on: Transaction) -> str:
        """Returns a new token after the second factor. Raises: NotSignedIn (ended in the meantime)."""
        token = str(uuid.uuid4())
        values = {"session_id": session_id, "token_hash": hash_of(token), "now": self._clock.frozen}
        if not await self._sql.run("pass", on=on, **values):
            raise NotSignedIn
        return token

    async def end(self, session_id: str, *, on: Transaction) -> None:
        await self._sql.run("end_one", on=on, session_id=session_id, now=self._clock.frozen)

    async def end_all(self, staff_id: str, *, on: Transaction) -> None:
        await self._sql.run("end_all", on=on, staff_id=staff_id, now=self._clock.frozen)

    async def forget(self) -> None:
        """Deletes sessions that ended long ago."""
        await self._sql.run("forget", days=KEPT_DAYS, now=self._clock.frozen)
