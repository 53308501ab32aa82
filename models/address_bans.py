"""Addresses of banned people: for some hours nobody new comes in from there.

Keeps where people came from as a keyed hash, for `ADDRESS_DAYS`, never the address. Promises that an address
ban ends after `ADDRESS_BAN_HOURS` and with its ban, whichever is sooner. Refuses new guests only: the
neighbours behind the same address go on as they are.
"""

from __future__ import annotations

from models.addresses import subject_of
from models.clock import Clock
from models.config import Config
from models.db import Db, Transaction
from models.errors import Banned
from models.site_secret import SiteSecret

PURPOSE = "address"
BATCH, MOST_BATCHES = 1000, 100
WORDS = "Somebody was banned here lately. Try again later, or from another connection."


class AddressBans:
    def __init__(self, db: Db, clock: Clock, config: Config, secret: SiteSecret) -> None:
        self._clock, self._config, self._secret = clock, config, secret
        self._sql = db.statements("address_bans")

    async def saw(self, user_id: str, address: str) -> None:
        """This person came from there."""
        hashed = await self._hash(address)
        await self._sql.run("saw", user_id=user_id, address_hash=hashed, now=self._clock.frozen)

    async def check(self, address: str) -> None:
        """Raises Banned."""
        hashed = await self._hash(address)
        if await self._sql.value("is_banned", address_hash=hashed, now=self._clock.frozen):
            raise Banned(WORDS)

    async def ban(self, ban_id: str, hours: int | None = None, *, on: Transaction) -> None:
        """Everywhere the person of this ban was seen lately, for so long, else for the setting's hours."""
        hours, days = hours or self._config.address_ban_hours, self._config.address_days
        await self._sql.run("ban", on=on, ban_id=ban_id, hours=hours, days=days, now=self._clock.frozen)

    async def forget(self) -> None:
        """What is older than it is of use; where people were seen, a batch at a time."""
        now = self._clock.frozen
        await self._sql.run("forget_bans", now=now)
        values = {"days": self._config.address_days, "most": BATCH, "now": now}
        for _ in range(MOST_BATCHES):
            if await self._sql.run("forget_seen", on=None, **values) < BATCH:
                return

    async def _hash(self, address: str) -> bytes:
        return await self._secret.digest(PURPOSE, subject_of(address))
