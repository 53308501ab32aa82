"""Reversals: refunds, disputes and warnings of fraud reported by Stripe.

Each is stored with its payment, also if the payment is not known yet, so the order of events does not matter.
A full refund or a lost dispute removes what the payment granted, once. A refund that fails or a dispute that
is won later restores it. A partial refund, an open dispute or a warning removes nothing. A reversal that does
not match the created checkout is logged as an error and has no effect. The staff are alerted of failed
refunds, disputes and warnings.
"""

from __future__ import annotations

from models.access.grants import Grants
from models.billing.entitlement import Entitlement
from models.billing.fulfillment import IGNORED, PAYMENTS, AppliedEvent, unlike
from models.billing.provider.stripe_types import (
    Checkout,
    StripeCharge,
    StripeDispute,
    StripeFraudWarning,
    StripeObject,
    StripeRefund,
)
from models.clock import Clock
from models.ids import is_id
from models.mail.alerts import Alerts
from models.postgres.database import Db, Transaction


class Reversals:
    def __init__(
        self, db: Db, clock: Clock, grants: Grants, entitlement: Entitlement, alerts: Alerts
    ) -> None:
        self._clock, self._grants, self._entitlement, self._alerts = clock, grants, entitlement, alerts
        self._sql = db.statements("billing.reversals")
        self._checkouts_sql = db.statements("billing.checkouts")

    async def refunded(self, reported: StripeCharge, said_at: int, *, on: Transaction) -> AppliedEvent:
        """Applies the sum of a charge's refunds as of `said_at`, in seconds of Stripe's clock. Charges of
        other shops on the same account are ignored.
        """
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
            "keep_charge",
            on=on,
            payment_intent=reported.payment_intent,
            refunded_cents=reported.amount_refunded,
            is_full=reported.refunded,
            said_at=said_at,
            now=self._clock.frozen,
        )
        return await self._follow(checkout, bool(is_new), on)

    async def refund(self, reported: StripeRefund, said_at: int, *, on: Transaction) -> AppliedEvent:
        """Applies one refund, made here or in Stripe's dashboard. Of two reports the later status counts."""
        if reported.payment_intent is None:
            return IGNORED
        checkout = await self._find(reported, reported.payment_intent, on)
        if checkout is not None and not checkout.is_of_mode(reported.livemode):
            return unlike(checkout, reported, ["livemode"])
        is_new = await self._sql.run(
            "keep_refund",
            on=on,
            refund_id=reported.id,
            payment_intent=reported.payment_intent,
            amount_cents=reported.amount,
            status=reported.status,
            said_at=said_at,
            now=self._clock.frozen,
        )
        if is_new and checkout is not None and reported.has_failed:
            await self._alerts.raise_alert("refund", PAYMENTS, on=on)
            await self._grants.lock(checkout.user_id, on=on)
            await self._entitlement.keep(checkout.attempt_id, on=on)
        return await self._follow(checkout, bool(is_new), on)

    async def warned(self, reported: StripeFraudWarning, *, on: Transaction) -> AppliedEvent:
        """Stores a warning of fraud and alerts the staff."""
        if reported.payment_intent is None:
            return IGNORED
        checkout = await self._find(reported, reported.payment_intent, on)
        values = {"warning_id": reported.id, "payment_intent": reported.payment_intent}
        kind = reported.fraud_type or "misc"
        is_new = await self._sql.run("keep_warning", on=on, fraud_type=kind, now=self._clock.frozen, **values)
        if not is_new or checkout is None:
            return IGNORED
        await self._alerts.raise_alert("fraud", PAYMENTS, on=on)
        return AppliedEvent("applied")

    async def disputed(
        self, reported: StripeDispute, said_at: int, *, is_first: bool = False, on: Transaction
    ) -> AppliedEvent:
        """Applies a dispute as of `said_at`, in seconds of Stripe's clock. A dispute names only a payment, so
        it is stored even if that payment is not known yet. `is_first`: the staff are alerted, also of an
        inquiry, which removes nothing.
        """
        if reported.payment_intent is None:
            return IGNORED
        checkout = await self._find(reported, reported.payment_intent, on)
        if checkout is not None and not checkout.is_of_mode(reported.livemode):
            return unlike(checkout, reported, ["livemode"])
        if checkout is not None and is_first:
            await self._alerts.raise_alert("dispute", PAYMENTS, on=on)
        if reported.outcome is None:
            return IGNORED
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
