"""Entitlement: what a payment grants while it is paid, not refunded and not lost to a dispute.

Access and code follow from the rows of checkouts, refunds and disputes alone. They are computed again after
each event, so order and repetition do not matter. A lost payment ends no call, and users who joined with the
payer's code keep their access. A deleted user is granted nothing; `models.billing.refunds` returns such a
payment.
"""

from __future__ import annotations

import msgspec

from models.access.grants import AccessChange, Grants
from models.access.invite_codes import InviteCodes
from models.postgres.database import Db, Transaction


class CheckoutValue(msgspec.Struct, frozen=True):
    is_paid: bool
    is_refunded: bool
    is_lost: bool
    is_of_nobody: bool

    @property
    def lost_by(self) -> str | None:
        """The reason why it no longer grants access: `refunded`, `disputed`, or None."""
        if self.is_refunded:
            return "refunded"
        return "disputed" if self.is_lost else None


class Entitlement:
    def __init__(self, db: Db, grants: Grants, invite_codes: InviteCodes) -> None:
        self._grants, self._invite_codes = grants, invite_codes
        self._sql = db.statements("billing.reversals")

    async def lost_by(self, attempt_id: str) -> str | None:
        """The reason why this payment no longer grants access, or None."""
        worth = await self._sql.one("worth", CheckoutValue, attempt_id=attempt_id)
        return worth.lost_by if worth and worth.is_paid else None

    async def work_out(self, attempt_id: str, user_id: str, *, on: Transaction) -> AccessChange | None:
        """The change to publish after the commit, or None. The caller holds the lock of the user's access."""
        worth = await self._sql.one("worth", CheckoutValue, on=on, attempt_id=attempt_id)
        if worth is None or not worth.is_paid:
            return None
        if worth.is_refunded:
            await self._sql.run("note_refunded", on=on, attempt_id=attempt_id)
        if worth.is_of_nobody:
            await self._sql.run("note_owed", on=on, attempt_id=attempt_id)
            return None
        granted = await self._grants.grant_locked(user_id, "payment", attempt_id, on=on)
        if worth.lost_by is not None:
            return await self._lose(attempt_id, user_id, worth.lost_by, on)
        change = granted or await self._grants.give_back_locked(user_id, "payment", attempt_id, on=on)
        await self._invite_codes.ensure_own(user_id, on=on)
        return change

    async def _lose(self, attempt_id: str, user_id: str, why: str, on: Transaction) -> AccessChange | None:
        change = await self._grants.take_away_locked(user_id, "payment", attempt_id, why, on=on)
        # A user who paid twice keeps the access of the other payment.
        if change is not None and change.access != "paid":
            await self._invite_codes.stop_own(user_id, on=on)
        return change
