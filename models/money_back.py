"""Money that goes back: refunds, and disputes that a bank decides.

Keeps each as a row by its payment, also before we know of the payment: told before "paid" it ends the same.
Promises that a full refund or a lost dispute takes away what the payment bought, once; that a dispute won
after all gives it back; that a part refunded or a dispute that is open takes nothing. Refuses, loudly in the
log, what is not about a payment as we created it.
"""

from __future__ import annotations

from models.access import Access
from models.clock import Clock
from models.db import Db, Transaction
from models.entitlement import Entitlement
from models.ids import is_id
from models.settlement import IGNORED, Settled, unlike
from models.stripe_objects import Checkout, StripeCharge, StripeDispute, Told


class MoneyBack:
    def __init__(self, db: Db, clock: Clock, access: Access, entitlement: Entitlement) -> None:
        self._clock, self._access, self._entitlement = clock, access, entitlement
        self._sql = db.statements("money_back")
        self._checkouts_sql = db.statements("payments")

    async def refunded(self, told: StripeCharge, *, on: Transaction) -> Settled:
        """A charge of which some or all went back. Strangers' on the same account are no news."""
        if told.payment_intent is None:
            return IGNORED
        checkout = await self._find(told, told.payment_intent, on)
        if checkout is None:
            return IGNORED
        if differences := checkout.differences_of_charge(told):
            return unlike(checkout, told, differences)
        values = {"attempt_id": checkout.attempt_id, "payment_intent": told.payment_intent}
        await self._checkouts_sql.run("link", on=on, session_id=None, **values)
        is_new = await self._sql.run(
            "keep_refund",
            on=on,
            payment_intent=told.payment_intent,
            refunded_cents=told.amount_refunded,
            is_full=told.refunded,
            now=self._clock.frozen,
        )
        return await self._follow(checkout, bool(is_new), on)

    async def disputed(self, told: StripeDispute, said_at: int, *, on: Transaction) -> Settled:
        """A dispute at `said_at`, in seconds of Stripe's clock. It names a payment and nothing of ours, so it
        is kept even when we do not know that payment yet.
        """
        if told.payment_intent is None or told.outcome is None:
            return IGNORED
        checkout = await self._find(told, told.payment_intent, on)
        if checkout is not None and not checkout.is_of_mode(told.livemode):
            return unlike(checkout, told, ["livemode"])
        is_new = await self._sql.run(
            "keep_dispute",
            on=on,
            dispute_id=told.id,
            payment_intent=told.payment_intent,
            amount_cents=told.amount,
            status=told.outcome,
            said_at=said_at,
            now=self._clock.frozen,
        )
        return await self._follow(checkout, bool(is_new), on)

    async def _find(self, told: Told, payment_intent: str, on: Transaction) -> Checkout | None:
        await self._sql.run("lock_payment", on=on, payment_intent=payment_intent)
        attempt_id = told.attempt_id if is_id(told.attempt_id) else None
        values = {"payment_intent": payment_intent, "attempt_id": attempt_id}
        return await self._sql.one("find_paid_by", Checkout, on=on, **values)

    async def _follow(self, checkout: Checkout | None, is_new: bool, on: Transaction) -> Settled:
        if not is_new:
            return IGNORED
        if checkout is None:
            return Settled("applied")
        await self._access.lock(checkout.user_id, on=on)
        change = await self._entitlement.work_out(checkout.attempt_id, checkout.user_id, on=on)
        return Settled("applied", change)
