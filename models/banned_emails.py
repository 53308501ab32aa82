"""E-mail addresses of banned people who have been deleted: while the ban stands they open no new account.

Keeps a keyed hash that hangs on the ban, never the address. Promises that it is asked for only while the ban
stands, and gone within an hour of its end. Answers nobody who asks: whoever tries such an address hears what
they would hear of one that is taken (`models.accounts`).
"""

from __future__ import annotations

import msgspec

from models.clock import Clock
from models.db import Db, Transaction
from models.site_secret import SiteSecret

PURPOSE = "banned email"


class _Standing(msgspec.Struct, frozen=True):
    ban_id: str
    email_key: str


class BannedEmails:
    def __init__(self, db: Db, clock: Clock, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret
        self._sql = db.statements("banned_emails")

    async def keep(self, user_id: str, *, on: Transaction) -> None:
        """Before somebody is deleted. Nothing happens without an account, or without a ban that stands."""
        found = await self._sql.one("standing", _Standing, on=on, user_id=user_id, now=self._clock.frozen)
        if found is not None:
            email_hash = await self._hash(found.email_key)
            await self._sql.run("keep", on=on, ban_id=found.ban_id, email_hash=email_hash)

    async def is_banned(self, email_key: str, *, on: Transaction) -> bool:
        email_hash = await self._hash(email_key)
        return bool(await self._sql.value("is_banned", on=on, email_hash=email_hash, now=self._clock.frozen))

    async def _hash(self, email_key: str) -> bytes:
        return await self._secret.digest(PURPOSE, email_key)
