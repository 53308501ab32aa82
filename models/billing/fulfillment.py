"""Fulfillment: what a payment event does. One payment causes one grant and one code.

The same fact has one effect, however often and in whatever order it is reported, by events or by queries. A
payment counts, whatever the recorded state was. A payment of another amount, currency or mode than the
created checkout's is stored for review: it grants nothing, and the staff are alerted. One that differs in
user, session, payment or livemode is not ours to judge: it has no effect and is logged as an error. Refunds
are in `models.billing.reversals`.
"""

from __future__ import annotations

import logging

import msgspec

from models.access.grants import AccessChange, Grants
from models.billing.entitlement import Entitlement
from models.billing.provider.stripe_types import (
    REVIEWED,
    Checkout,
    PaymentFact,
    StripeIntent,
    StripeObject,
    StripeSession,
)
from models.clock import Clock
from models.currencies import tax_in
from models.errors import Invalid
from models.ids import is_id
from models.mail import email_address
from models.mail.alerts import Alerts
from models.postgres.database import Db, Transaction
from models.settings.config import Config

logger = logging.getLogger(__name__)


class AppliedEvent(msgspec.Struct, frozen=True):
    """The effect of an event (applied, ignored, review or refused) and the change to publish after the
    commit.
    """

    effect: str
    change: AccessChange | None = None


IGNORED = AppliedEvent("ignored")
REFUSED = AppliedEvent("refused")
PAYMENTS = "/admin/payments"


class Fulfillment:
    def __init__(
        self, db: Db, clock: Clock, config: Config, grants: Grants, entitlement: Entitlement, alerts: Alerts
    ) -> None:
        self._config = config
        self._clock, self._grants, self._entitlement, self._alerts = clock, grants, entitlement, alerts
        self._sql = db.statements("billing.checkouts")
        self._payments_sql = db.statements("billing.reversals")

    async def settle(self, reported: StripeSession, fact: PaymentFact, *, on: Transaction) -> AppliedEvent:
        """Applies the reported state of a checkout session."""
        await self._lock(reported.payment_intent, on)
        checkout = await self._find(reported, reported.id, on)
        if checkout is None:
            return unknown(reported) if fact == "paid" else IGNORED
        differences = checkout.differences(reported)
        if set(differences) - REVIEWED:
            return unlike(checkout, reported, differences)
        await self._grants.lock(checkout.user_id, on=on)
        if fact != "paid":
            return await self._close(checkout, reported, fact, on)
        if differences:
            found = (reported.amount_total, reported.currency)
            return await self._review(checkout, differences, reported, *found, reported.payment_intent, on)
        applied = await self._pay(checkout, reported.id, reported.payment_intent, on)
        await self._keep_details(checkout, reported, on)
        return applied

    async def _keep_details(self, checkout: Checkout, reported: StripeSession, on: Transaction) -> None:
        """What only the session reports: the tax, and the payer's e-mail address."""
        tax = reported.total_details.amount_tax if reported.total_details else None
        if self._config.stripe_tax and tax is not None:
            await self._sql.run("note_tax", on=on, attempt_id=checkout.attempt_id, tax_cents=tax)
        try:
            typed = reported.customer_details.email if reported.customer_details else None
            email = email_address.read(typed or "")
        except Invalid:
            return
        values = {"email": email.text, "email_key": email.key, "now": self._clock.frozen}
        await self._sql.run("keep_email", on=on, user_id=checkout.user_id, **values)

    async def settle_payment(self, reported: StripeIntent, *, on: Transaction) -> AppliedEvent:
        """Applies a succeeded payment. It reports the same fact as the session, and may arrive first."""
        await self._lock(reported.id, on)
        checkout = await self._find(reported, None, on)
        if checkout is None:
            return unknown(reported)
        differences = checkout.differences_of_payment(reported)
        if set(differences) - REVIEWED:
            return unlike(checkout, reported, differences)
        await self._grants.lock(checkout.user_id, on=on)
        if differences:
            found = (reported.amount_received, reported.currency)
            return await self._review(checkout, differences, None, *found, reported.id, on)
        return await self._pay(checkout, None, reported.id, on)

    async def _lock(self, payment_intent: str | None, on: Transaction) -> None:
        if payment_intent is not None:
            await self._payments_sql.run("lock_payment", on=on, payment_intent=payment_intent)

    async def _find(self, reported: StripeObject, session_id: str | None, on: Transaction) -> Checkout | None:
        attempt_id = reported.attempt_id if is_id(reported.attempt_id) else None
        return await self._sql.one("find_told", Checkout, on=on, session_id=session_id, attempt_id=attempt_id)

    async def _close(
        self, checkout: Checkout, reported: StripeSession, fact: PaymentFact, on: Transaction
    ) -> AppliedEvent:
        values = {"attempt_id": checkout.attempt_id, "session_id": reported.id, "now": self._clock.frozen}
        if fact == "waiting":
            return IGNORED
        if fact == "processing":
            is_new = await self._sql.run("process", on=on, **values)
        else:
            is_new = await self._sql.run("settle_unpaid", on=on, state=fact, **values)
        return AppliedEvent("applied") if is_new else IGNORED

    async def _pay(
        self, checkout: Checkout, session_id: str | None, payment_intent: str | None, on: Transaction
    ) -> AppliedEvent:
        attempt_id, session = checkout.attempt_id, {"session_id": session_id}
        is_new = await self._sql.run("pay", on=on, attempt_id=attempt_id, now=self._clock.frozen, **session)
        is_linked = await self._sql.run(
            "link", on=on, attempt_id=attempt_id, payment_intent=payment_intent, **session
        )
        if not is_new and not is_linked:
            return IGNORED
        if is_new:
            await self._number(checkout, on)
        change = await self._entitlement.work_out(attempt_id, checkout.user_id, on=on)
        return AppliedEvent("applied" if is_new else "ignored", change)

    async def _number(self, checkout: Checkout, on: Transaction) -> None:
        percent = self._config.seller_tax_percent
        await self._sql.run(
            "number",
            on=on,
            attempt_id=checkout.attempt_id,
            seller="\n".join(self._config.seller_lines),
            tax_percent=percent,
            tax_cents=None if percent is None else tax_in(checkout.amount_cents, percent),
        )

    async def _review(
        self,
        checkout: Checkout,
        differences: list[str],
        session: StripeSession | None,
        cents: int | None,
        currency: str | None,
        payment_intent: str | None,
        on: Transaction,
    ) -> AppliedEvent:
        attempt_id, session_id = checkout.attempt_id, session.id if session else None
        what = {"differences": differences, "paid_cents": cents, "paid_currency": currency}
        values = {"attempt_id": attempt_id, "session_id": session_id}
        is_new = await self._sql.run("review", on=on, now=self._clock.frozen, **values, **what)
        is_linked = await self._sql.run("link", on=on, payment_intent=payment_intent, **values)
        if not is_new and not is_linked:
            return IGNORED
        if is_new:
            facts = {"attempt_id": attempt_id, "differences": differences}
            logger.error("A payment is not as we created it: it grants nothing until reviewed", extra=facts)
            await self._alerts.raise_alert("payment", PAYMENTS, on=on)
        change = await self._entitlement.work_out(attempt_id, checkout.user_id, on=on)
        return AppliedEvent("review" if is_new else "ignored", change)


def unknown(reported: StripeObject) -> AppliedEvent:
    """Ignores a checkout of another shop on the same Stripe account; refuses one that claims to be ours."""
    if not reported.attempt_id:
        return IGNORED
    logger.error("A payment for a checkout that we do not know", extra={"stripe_id": reported.id})
    return REFUSED


def unlike(checkout: Checkout, reported: StripeObject, differences: list[str]) -> AppliedEvent:
    facts = {"attempt_id": checkout.attempt_id, "stripe_id": reported.id, "differences": differences}
    logger.error("A checkout is not as we created it: nothing is granted", extra=facts)
    return REFUSED
