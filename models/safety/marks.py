"""Marks of reported users who were deleted, so that a returning user is linked with the reports.

When a user about whom there are reports is deleted, keyed hashes of their e-mail address, recent addresses
and browsers' `device` cookies are kept for `REPORT_DAYS`; of a user who met someone in the last
`ADDRESS_DAYS`, for that time, because the other may still report them. They refuse no one: staff see on a
member's page which marks agree, and with how many reports. The same is shown about banned users, whose
addresses and browsers of the last `ADDRESS_DAYS` are compared. Only a keyed hash of a device cookie is ever
stored.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.clock import Clock
from models.postgres.database import Db, Transaction
from models.security.site_secret import SiteSecret
from models.settings.config import Config

EMAIL, DEVICE = "mark of an e-mail", "mark of a device"
LONGEST_DEVICE = 64


class ReturningUser(msgspec.Struct, frozen=True):
    """A deleted or banned user whose marks agree with a member's. `kinds`: email, device, address (of IPv6: a
    /48). `deleted_at` is None for a banned one.
    """

    user_id: str
    kinds: list[str]
    reports: int
    open_reports: int
    deleted_at: datetime | None


class PersonMarks:
    def __init__(self, db: Db, clock: Clock, config: Config, secret: SiteSecret) -> None:
        self._clock, self._config, self._secret = clock, config, secret
        self._sql = db.statements("safety.marks")

    async def saw(self, user_id: str, device: str | None) -> None:
        """Records the browser of a user by its cookie."""
        if device and len(device) <= LONGEST_DEVICE:
            device_hash = await self._secret.digest(DEVICE, device)
            await self._sql.run("saw", user_id=user_id, device_hash=device_hash, now=self._clock.frozen)

    async def keep(self, user_id: str, *, on: Transaction) -> None:
        """Before a deletion. No effect for a user whom no one has reported, or could still report."""
        days, now = self._config.address_days, self._clock.frozen
        if not await self._sql.value("may_be_reported", on=on, user_id=user_id, days=days, now=now):
            return
        email = await self._email_hash(user_id, on)
        await self._sql.run("keep", on=on, user_id=user_id, email_hash=email, now=now)

    async def of(self, user_id: str) -> list[ReturningUser]:
        """Deleted and banned users who may be this member, the one with the most agreeing kinds first."""
        email, now = await self._email_hash(user_id, None), self._clock.frozen
        return await self._sql.all("agreeing", ReturningUser, user_id=user_id, email_hash=email, now=now)

    async def _email_hash(self, user_id: str, on: Transaction | None) -> bytes | None:
        email_key = await self._sql.value("email_of", on=on, user_id=user_id)
        return None if email_key is None else await self._secret.digest(EMAIL, str(email_key))
