"""E-mail addresses of banned users who were deleted: no new account while the ban is active.

A keyed hash is stored with the ban, never the address, and is removed within an hour of the ban's end. The
answer to such an address is that of a taken one (`models.accounts.accounts`).
"""

from __future__ import annotations

import msgspec

from models.clock import Clock
from models.postgres.database import Db, Transaction
from models.security.site_secret import SiteSecret

PURPOSE = "banned email"


class _BanOfUser(msgspec.Struct, frozen=True):
    ban_id: str
    email_key: str


class EmailBans:
    def __init__(self, db: Db, clock: Clock, secret: SiteSecret) -> None:
        self._clock, self._secret = clock, secret
        self._sql = db.statements("safety.email_bans")

    async def keep(self, user_id: str, *, on: Transaction) -> None:
        """Stores the address before a deletion. No effect without an account or an active ban."""
        found = await self._sql.one("standing", _BanOfUser, on=on, user_id=user_id, now=self._clock.frozen)
        if found is not None:
            email_hash = await self._hash(found.email_key)
            await self._sql.run("keep", on=on, ban_id=found.ban_id, email_hash=email_hash)

    async def is_banned(self, email_key: str, *, on: Transaction) -> bool:
        email_hash = await self._hash(email_key)
        return bool(await self._sql.value("is_banned", on=on, email_hash=email_hash, now=self._clock.frozen))

    async def _hash(self, email_key: str) -> bytes:
        return await self._secret.digest(PURPOSE, email_key)
