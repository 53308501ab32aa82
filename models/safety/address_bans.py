"""Address bans: for some hours, no new guests from the addresses of a banned user.

Addresses are stored as keyed hashes for `ADDRESS_DAYS`; of an IPv6 address its /64, which is what a ban is
about, and its /48, by which reporters are one party (`models.safety.reputation`). An address ban ends after
`ADDRESS_BAN_HOURS` or with its ban, whichever is sooner. Only new guests are rejected; other users at the
address are not affected.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from models.clock import Clock
from models.errors import Banned
from models.postgres.database import Db, Transaction
from models.security.addresses import subject_of, voting_of
from models.security.site_secret import SiteSecret
from models.settings.config import Config

PURPOSE = "address"
BATCH, MOST_BATCHES = 1000, 100
# A pair of user and address is recorded at most once an hour; those recorded here are remembered.
RECORDED_FOR = timedelta(hours=1)
MOST_RECORDED = 10_000
WORDS = "Someone was banned from this connection recently. Try again later, or from another connection."


class AddressBans:
    def __init__(self, db: Db, clock: Clock, config: Config, secret: SiteSecret) -> None:
        self._clock, self._config, self._secret = clock, config, secret
        self._sql = db.statements("safety.address_bans")
        # The oldest first.
        self._recorded: dict[tuple[str, bytes], datetime] = {}

    async def saw(self, user_id: str, address: str) -> None:
        """Records that a user was seen at an address."""
        hashes, now = [await self._hash(one) for one in voting_of(address)], self._clock.now()
        pair = (user_id, hashes[0])
        if pair in self._recorded and now - self._recorded[pair] < RECORDED_FOR:
            return
        for one in hashes:
            await self._sql.run("saw", user_id=user_id, address_hash=one, now=self._clock.frozen)
        self._recorded.pop(pair, None)
        if len(self._recorded) >= MOST_RECORDED:
            self._recorded.pop(next(iter(self._recorded)))
        self._recorded[pair] = now

    async def record_again(self) -> None:
        """Forgets what is recorded, because PostgreSQL has lost data or was replaced."""
        self._recorded.clear()

    async def check(self, address: str) -> None:
        """Raises: Banned."""
        hashed = await self._hash(subject_of(address))
        if await self._sql.value("is_banned", address_hash=hashed, now=self._clock.frozen):
            raise Banned(WORDS)

    async def ban(self, ban_id: str, hours: int | None = None, *, on: Transaction) -> None:
        """Bans the addresses at which the banned user was seen, for `hours` or the configured time."""
        hours, days = hours or self._config.address_ban_hours, self._config.address_days
        await self._sql.run("ban", on=on, ban_id=ban_id, hours=hours, days=days, now=self._clock.frozen)

    async def forget(self) -> None:
        """Deletes expired rows, in batches."""
        now = self._clock.frozen
        await self._sql.run("forget_bans", now=now)
        values = {"days": self._config.address_days, "most": BATCH, "now": now}
        for _ in range(MOST_BATCHES):
            if await self._sql.run("forget_seen", on=None, **values) < BATCH:
                return

    async def _hash(self, subject: str) -> bytes:
        return await self._secret.digest(PURPOSE, subject)
