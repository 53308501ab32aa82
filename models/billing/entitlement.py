"""Entitlement: what a payment grants while it is paid, not refunded and not lost to a dispute.

Access and code follow from the rows of checkouts, refunds and disputes alone. They are computed again after
each event, so order and repetition do not matter. A lost payment ends no call, and users who joined with the
payer's code keep their access. A payment that differs from the created checkout grants nothing. One of a test
key or of the test checkout grants nothing on a live site. A deleted user is granted nothing;
`models.billing.refunds` returns such a payment.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from models.access.grants import AccessChange, Grants
from models.access.invite_codes import InviteCodes
from models.billing.provider.stripe_types import CheckoutKind
from models.postgres.database import Db, Transaction

LostBy = Literal["refunded", "disputed", "withdrawn", "review", "test"]
MOST_TESTS = 100


class CheckoutValue(msgspec.Struct, frozen=True):
    is_paid: bool
    kind: CheckoutKind
    is_refunded: bool
    is_lost: bool
    is_withdrawn: bool
    is_in_review: bool
    # Of a payment that still grants access: its user has asked for an extra payment back.
    is_owed: bool
    is_of_nobody: bool

    def lost_by(self, *, is_live: bool) -> LostBy | None:
        """The reason why it does not, or no longer, grant access."""
        if self.is_refunded:
            return "refunded"
        if self.is_lost:
            return "disputed"
        if self.is_withdrawn:
            return "withdrawn"
        if self.is_in_review:
            return "review"
        return "test" if is_live and self.kind != "live" else None


class TestPayment(msgspec.Struct, frozen=True):
    attempt_id: str
    user_id: str


class Entitlement:
    def __init__(self, db: Db, grants: Grants, invite_codes: InviteCodes, *, is_live: bool) -> None:
        """`is_live`: only payments of a live key count."""
        self._db, self._grants, self._invite_codes = db, grants, invite_codes
        self._is_live = is_live
        self._sql = db.statements("billing.entitlement")

    async def lost_by(self, attempt_id: str) -> LostBy | None:
        """The reason why this payment does not grant access, or None."""
        worth = await self._sql.one("worth", CheckoutValue, attempt_id=attempt_id)
        return worth.lost_by(is_live=self._is_live) if worth and worth.is_paid else None

    async def work_out(self, attempt_id: str, user_id: str, *, on: Transaction) -> AccessChange | None:
        """The change to publish after the commit, or None. The caller holds the lock of the user's access."""
        worth = await self._sql.one("worth", CheckoutValue, on=on, attempt_id=attempt_id)
        if worth is None or not worth.is_paid:
            return None
        await self._sql.run("note_refunded", on=on, attempt_id=attempt_id, is_refunded=worth.is_refunded)
        if worth.is_of_nobody:
            await self._sql.run("note_owed", on=on, attempt_id=attempt_id)
            return None
        granted = None
        if not worth.is_in_review:
            granted = await self._grants.grant_locked(user_id, "payment", attempt_id, on=on)
        if (why := worth.lost_by(is_live=self._is_live)) is not None:
            return await self._lose(attempt_id, user_id, why, on)
        change = granted or await self._grants.give_back_locked(user_id, "payment", attempt_id, on=on)
        if not worth.is_owed:
            await self._invite_codes.ensure_own(user_id, on=on)
        return change

    async def keep(self, attempt_id: str, *, on: Transaction) -> None:
        """An extra payment stays: its refund was refused or has failed. `work_out` then restarts the code."""
        await self._sql.run("keep", on=on, attempt_id=attempt_id)

    async def stop_code(self, user_id: str, *, on: Transaction) -> None:
        """Stops the code of an extra payment that is about to be refunded, until it is refunded or `keep`."""
        await self._invite_codes.stop_own(user_id, on=on)

    async def _lose(self, attempt_id: str, user_id: str, why: LostBy, on: Transaction) -> AccessChange | None:
        change = await self._grants.take_away_locked(user_id, "payment", attempt_id, why, on=on)
        # A user who paid twice keeps the access of the other payment.
        if change is not None and change.access != "paid":
            await self._invite_codes.stop_own(user_id, on=on)
        return change

    async def end_tests(self) -> None:
        """On a live site: ends what payments with a test key or at the test checkout have granted."""
        if not self._is_live:
            return
        for payment in await self._sql.all("test_payments", TestPayment, most=MOST_TESTS):
            async with self._db.transaction() as on:
                await self._grants.lock(payment.user_id, on=on)
                change = await self.work_out(payment.attempt_id, payment.user_id, on=on)
            self._grants.publish(change)
