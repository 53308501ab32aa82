"""What a payment is worth: access and a code, while it is paid, not refunded and not lost to a dispute.

Promises that what somebody has follows from the rows of their checkouts, refunds and disputes alone: it is
worked out anew after each piece of news, so neither order nor repetition matters. It ends no call, and people
whom the code brought keep their own access. To somebody deleted it gives nothing: what comes for them later
goes back (`models.refunds`).
"""

from __future__ import annotations

import msgspec

from models.access import Access, AccessChange
from models.db import Db, Transaction
from models.invite_codes import InviteCodes


class Worth(msgspec.Struct, frozen=True):
    is_paid: bool
    is_refunded: bool
    is_lost: bool
    is_of_nobody: bool

    @property
    def lost_by(self) -> str | None:
        """Why it buys nothing any more: `refunded`, `disputed`, or None."""
        if self.is_refunded:
            return "refunded"
        return "disputed" if self.is_lost else None


class Entitlement:
    def __init__(self, db: Db, access: Access, invite_codes: InviteCodes) -> None:
        self._access, self._invite_codes = access, invite_codes
        self._sql = db.statements("money_back")

    async def lost_by(self, attempt_id: str) -> str | None:
        """Why this payment buys nothing any more."""
        worth = await self._sql.one("worth", Worth, attempt_id=attempt_id)
        return worth.lost_by if worth and worth.is_paid else None

    async def work_out(self, attempt_id: str, user_id: str, *, on: Transaction) -> AccessChange | None:
        """After any news; the person is locked already. What to tell after the commit."""
        worth = await self._sql.one("worth", Worth, on=on, attempt_id=attempt_id)
        if worth is None or not worth.is_paid:
            return None
        if worth.is_refunded:
            await self._sql.run("note_refunded", on=on, attempt_id=attempt_id)
        if worth.is_of_nobody:
            await self._sql.run("note_owed", on=on, attempt_id=attempt_id)
            return None
        granted = await self._access.grant_locked(user_id, "payment", attempt_id, on=on)
        if worth.lost_by is not None:
            return await self._lose(attempt_id, user_id, worth.lost_by, on)
        change = granted or await self._access.give_back_locked(user_id, "payment", attempt_id, on=on)
        await self._invite_codes.ensure_own(user_id, on=on)
        return change

    async def _lose(self, attempt_id: str, user_id: str, why: str, on: Transaction) -> AccessChange | None:
        change = await self._access.take_away_locked(user_id, "payment", attempt_id, why, on=on)
        # Somebody who paid twice still has what the other payment bought.
        if change is not None and change.access != "paid":
            await self._invite_codes.stop_own(user_id, on=on)
        return change
