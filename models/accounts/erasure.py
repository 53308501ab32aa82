"""A person's rows go, in one transaction.

Keeps of somebody deleted only an id without a name: their partners' history and the bookkeeping of payments
hang on it, reports and bans stay for their own time, and a tombstone says that they must stay deleted.
Promises that doing it twice is no fault: whatever slipped in meanwhile goes the second time. It is the one
place that knows which tables hold somebody (a test compares them with the schema).
"""

from __future__ import annotations

from models.clock import Clock
from models.postgres.database import Db, Transaction
from models.safety.email_bans import BannedEmails


class Erasure:
    def __init__(self, db: Db, clock: Clock, banned_emails: BannedEmails) -> None:
        self._db, self._clock, self._banned_emails = db, clock, banned_emails
        self._sql = db.statements("accounts.erasure")

    async def erase(self, user_id: str, *, on: Transaction | None = None) -> bool:
        """False: there is no such person here. Somebody deleted before is gone over again."""
        if on is None:
            async with self._db.transaction() as own:
                return await self.erase(user_id, on=own)
        if not await self.lock(user_id, on=on):
            return False
        await self._banned_emails.keep(user_id, on=on)
        await self._sql.run("erase", on=on, user_id=user_id, now=self._clock.frozen)
        return True

    async def lock(self, user_id: str, *, on: Transaction) -> bool:
        """Before anything of theirs is touched: account, then person, as everybody takes them who signs in,
        bans or pays. False: there is no such person here.
        """
        return await self._sql.value("lock", on=on, user_id=user_id) is not None
