"""Erasure of a user's rows in one transaction.

A deleted user keeps only an id without a name: the other side's call history and the payment records refer to
it. Reports and bans stay for their own retention period, and a tombstone keeps the user deleted after a
restore. Erasing twice is allowed; the second run removes rows written concurrently with the first. The only
place that lists the tables with personal data (a test compares it with the schema).
"""

from __future__ import annotations

from models.clock import Clock
from models.postgres.database import Db, Transaction
from models.safety.email_bans import EmailBans
from models.safety.marks import PersonMarks


class Erasure:
    def __init__(self, db: Db, clock: Clock, email_bans: EmailBans, marks: PersonMarks) -> None:
        self._db, self._clock = db, clock
        self._email_bans, self._marks = email_bans, marks
        self._sql = db.statements("accounts.erasure")

    async def erase(self, user_id: str, *, on: Transaction | None = None) -> bool:
        """False if there is no such user. A deleted user is erased again."""
        if on is None:
            async with self._db.transaction() as own:
                return await self.erase(user_id, on=own)
        if not await self.lock(user_id, on=on):
            return False
        await self._email_bans.keep(user_id, on=on)
        await self._marks.keep(user_id, on=on)
        await self._sql.run("erase", on=on, user_id=user_id, now=self._clock.frozen)
        return True

    async def lock(self, user_id: str, *, on: Transaction) -> bool:
        """Locks the account, then the user, in the order that sign-in, bans and payments use. Call it before
        any change. False if there is no such user.
        """
        return await self._sql.value("lock", on=on, user_id=user_id) is not None
