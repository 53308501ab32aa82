"""Refunds made by this site, applied immediately, without waiting for the webhook.

A payment is refunded once, however often the refund is requested (same idempotency key), and once more after
each refund that failed. The effect is that of `refund.created`. A payment that arrives after its user was
deleted is refunded automatically (`sweep`). Raises: Conflict for a payment that is unpaid, refunded, or was
made with another key, and for a refund that fails at once.
"""

from __future__ import annotations

import logging

import msgspec

from models.access.grants import Grants
from models.billing.provider import sandbox, stripe_api
from models.billing.provider.payment_provider import PaymentProvider
from models.billing.provider.sandbox import Sandbox
from models.billing.provider.stripe_api import StripeRefused, StripeUnavailable
from models.billing.provider.stripe_types import Checkout, CheckoutKind, StripeRefund
from models.billing.reversals import Reversals
from models.billing.webhook import StripeWebhook
from models.clock import Clock
from models.errors import Conflict, NotFound
from models.postgres.database import Db, Transaction
from models.security.audit_log import Audit

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 60
FAILED = "The bank did not take the refund. The payment stands, and can be refunded again."
SWEEP_MOST = 20


class Refunds:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        grants: Grants,
        reversals: Reversals,
        webhook: StripeWebhook,
        provider: PaymentProvider,
        audit: Audit,
    ) -> None:
        self._db, self._clock, self._grants, self._reversals = db, clock, grants, reversals
        self._webhook, self._audit = webhook, audit
        self._stripe, self._page = provider.stripe, provider.page
        self._sql = db.statements("billing.reversals")

    async def sweep(self, kind: CheckoutKind) -> None:
        """Refunds a few payments that are owed: their users were deleted before, or took them back."""
        values = {"kind": kind, "least_seconds": SWEEP_SECONDS, "most": SWEEP_MOST, "now": self._clock.frozen}
        for checkout in await self._sql.all("claim_owed", Checkout, on=None, **values):
            try:
                await self.refund(checkout)
            except StripeUnavailable:
                return
            except (Conflict, StripeRefused):
                facts = {"attempt_id": checkout.attempt_id}
                logger.error("An owed payment could not be refunded", extra=facts)

    async def find(self, reference: str) -> Checkout:
        """Finds a payment by attempt id, Stripe session id or payment id. Raises: NotFound."""
        found = await self._sql.one("find_payment", Checkout, reference=reference)
        if found is None:
            raise NotFound("There is no such payment.")
        return found

    async def refund(self, checkout: Checkout, actor: str | None = None, reason: str = "") -> None:
        """Refunds the whole payment. For a staff `actor`, the request and the result are in the audit log.

        Raises: Conflict, StripeUnavailable, StripeRefused.
        """
        self._check(checkout)
        if actor is not None:
            await self._audit.note(actor, "payment.refund.ask", f"payment {checkout.attempt_id}", reason)
        if checkout.kind == "page" and self._page is not None:
            await self._play(checkout, self._page, actor)
        elif self._stripe is not None:
            number = await self._sql.value("failed_refunds", payment_intent=checkout.payment_intent)
            await self._keep(await self._stripe.refund(checkout, number), checkout, actor)

    def _check(self, checkout: Checkout) -> None:
        """Raises Conflict."""
        if checkout.state == "refunded":
            raise Conflict("This payment has been refunded already.")
        if checkout.state not in ("paid", "review") or checkout.payment_intent is None:
            raise Conflict("This has not been paid, so there is nothing to refund.")
        is_page = checkout.kind == "page" and self._page is not None
        if not is_page and (self._stripe is None or self._stripe.kind != checkout.kind):
            raise Conflict("This was paid under another key. Refund it in Stripe's dashboard.")

    async def _keep(self, refunds: list[StripeRefund], checkout: Checkout, actor: str | None) -> None:
        said_at, change = self._clock.now_ms() // 1000, None
        is_live = checkout.kind == "live"
        async with self._db.transaction() as on:
            for reported in refunds:
                known = msgspec.structs.replace(reported, livemode=is_live)
                change = (await self._reversals.refund(known, said_at, on=on)).change or change
            await self._done(checkout, actor, on)
        self._grants.publish(change)
        if all(reported.has_failed for reported in refunds):
            raise Conflict(FAILED)

    async def _play(self, checkout: Checkout, page: Sandbox, actor: str | None) -> None:
        """Sends the event that Stripe would send, through the same webhook."""
        payload = sandbox.refund_event(checkout)
        signature = stripe_api.sign(payload, await page.secret())
        await self._webhook.receive(payload, signature, also=lambda on: self._done(checkout, actor, on))

    async def _done(self, checkout: Checkout, actor: str | None, on: Transaction) -> None:
        if actor is not None:
            await self._audit.write(actor, "payment.refund", f"payment {checkout.attempt_id}", on=on)
