"""Reversals: refunds and disputes reported by Stripe.

Each is stored with its payment, also if the payment is not known yet, so the order of events does not matter.
A full refund or a lost dispute removes what the payment granted, once. A dispute that is won later restores
it. A partial refund or an open dispute removes nothing. A reversal that does not match the created checkout
is logged as an error and has no effect.
"""

from __future__ import annotations

from models.access.grants import Grants
from models.billing.entitlement import Entitlement
from models.billing.fulfillment import IGNORED, AppliedEvent, unlike
from models.billing.stripe_types import Checkout, StripeCharge, StripeDispute, StripeObject
from models.clock import Clock
from models.ids import is_id
from models.postgres.database import Db, Transaction


class Reversals:
    def __init__(self, db: Db, clock: Clock, grants: Grants, entitlement: Entitlement) -> None:
        self._clock, self._grants, self._entitlement = clock, grants, entitlement
        self._sql = db.statements("billing.reversals")
        self._checkouts_sql = db.statements("billing.checkouts")

    async def refunded(self, reported: StripeCharge, *, on: Transaction) -> AppliedEvent:
        """Applies a full or partial refund. Charges of other shops on the same account are ignored."""
        if reported.payment_intent is None:
            return IGNORED
        checkout = await self._find(reported, reported.payment_intent, on)
        if checkout is None:
            return IGNORED
        if differences := checkout.differences_of_charge(reported):
            return unlike(checkout, reported, differences)
        values = {"attempt_id": checkout.attempt_id, "payment_intent": reported.payment_intent}
        await self._checkouts_sql.run("link", on=on, session_id=None, **values)
        is_new = await self._sql.run(
            "keep_refund",
            on=on,
            payment_intent=reported.payment_intent,
            refunded_cents=reported.amount_refunded,
            is_full=reported.refunded,
            now=self._clock.frozen,
        )
        return await self._follow(checkout, bool(is_new), on)

    async def disputed(self, reported: StripeDispute, said_at: int, *, on: Transaction) -> AppliedEvent:
        """Applies a dispute as of `said_at`, in seconds of Stripe's clock. A dispute names only a payment, so
        it is stored even if that payment is not known yet.
        """
        if reported.payment_intent is None or reported.outcome is None:
            return IGNORED
        checkout = await self._find(reported, reported.payment_intent, on)
        if checkout is not None and not checkout.is_of_mode(reported.livemode):
            return unlike(checkout, reported, ["livemode"])
        is_new = await self._sql.run(
            "keep_dispute",
            on=on,
            dispute_id=reported.id,
            payment_intent=reported.payment_intent,
            amount_cents=reported.amount,
            status=reported.outcome,
            said_at=said_at,
            now=self._clock.frozen,
        )
        return await self._follow(checkout, bool(is_new), on)

    async def _find(self, reported: StripeObject, payment_intent: str, on: Transaction) -> Checkout | None:
        await self._sql.run("lock_payment", on=on, payment_intent=payment_intent)
        attempt_id = reported.attempt_id if is_id(reported.attempt_id) else None
        values = {"payment_intent": payment_intent, "attempt_id": attempt_id}
        return await self._sql.one("find_paid_by", Checkout, on=on, **values)

    async def _follow(self, checkout: Checkout | None, is_new: bool, on: Transaction) -> AppliedEvent:
        if not is_new:
            return IGNORED
        if checkout is None:
            return AppliedEvent("applied")
        await self._grants.lock(checkout.user_id, on=on)
        change = await self._entitlement.work_out(checkout.attempt_id, checkout.user_id, on=on)
        return AppliedEvent("applied", change)
