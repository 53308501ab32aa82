"""Deletion of a user by themselves or by a moderator, permanently.

A deletion is in force at once, as a ban is: rings and calls end for the other side as a hang-up, every socket
receives `session:ended` and closes, the card leaves the queue, the e-mail address is free. Concurrent work (a
chat message, an answered invite) is cleaned up by `sweep` and `finish`. The tombstone is on disk before the
response. Raises: Invalid (`confirm`), NotFound, and for an account NotAllowed (password), TooMany.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta

from models.accounts.accounts import Accounts
from models.accounts.credentials import Credentials
from models.accounts.erasure import Erasure
from models.accounts.tombstones import Tombstones
from models.clock import Clock
from models.errors import Invalid, NotFound, Unavailable
from models.ids import is_id
from models.postgres.database import Db, Transaction
from models.room.presence import Presence
from models.safety.interruptions import Interruptions
from models.security.audit_log import Audit
from models.security.member import Member
from models.security.sessions import EndedSession, Sessions

WORD = "DELETE"
DELETED = "deleted"
FINISH_AFTER = timedelta(hours=1)


class Deletions:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        erasure: Erasure,
        tombstones: Tombstones,
        accounts: Accounts,
        credentials: Credentials,
        sessions: Sessions,
        interruptions: Interruptions,
        presence: Presence,
        audit: Audit,
    ) -> None:
        self._db, self._clock, self._erasure, self._tombstones = db, clock, erasure, tombstones
        self._accounts, self._credentials, self._sessions = accounts, credentials, sessions
        self._interruptions, self._presence, self._audit = interruptions, presence, audit
        self._sql = db.statements("accounts.deletions")

    async def delete_own(self, member: Member, typed: str, password: str, address: str) -> None:
        """Deletes the member, who typed the word and, with an account, the password."""
        if typed.strip().upper() != WORD:
            raise Invalid(confirm=f"Type {WORD} to confirm.")
        account = await self._accounts.find(member.user_id)
        if account is not None:
            await self._credentials.confirm(account, password, address)
        await self.delete(member.user_id)

    async def delete(self, user_id: str, actor: str | None = None) -> None:
        """Deletes a user. An `actor` (staff) is written to the audit log. Raises: NotFound."""
        if not is_id(user_id):
            raise NotFound("There is no such person.")
        await self._interruptions.remove(user_id, "hung_up")

        async def erase(on: Transaction) -> list[EndedSession]:
            if not await self._erasure.lock(user_id, on=on):
                raise NotFound("There is no such person.")
            ended = await self._sessions.end_others(user_id, None, DELETED, on=on)
            await self._erasure.erase(user_id, on=on)
            if actor is not None:
                await self._audit.write(actor, "person.delete", f"user {user_id}", on=on)
            return ended

        self._sessions.publish(await self._db.transact(erase))
        await self._tombstones.write()
        await self._leave(user_id)

    async def sweep(self) -> None:
        """Ends calls that a user joined while being deleted."""
        for user_id in await self._sql.all("in_calls", str):
            await self._leave(user_id)

    async def finish(self) -> None:
        """Erases the users deleted in the last hour again, for rows written concurrently."""
        for user_id in await self._sql.all("unfinished", str, since=self._clock.now() - FINISH_AFTER):
            await self._erasure.erase(user_id)

    async def _leave(self, user_id: str) -> None:
        await self._interruptions.remove(user_id, "hung_up")
        with contextlib.suppress(Unavailable):
            await self._presence.forget(user_id)
