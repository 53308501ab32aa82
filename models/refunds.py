"""Giving money back: through whoever took it, and settled at once, without waiting for the event.

Promises that one payment is refunded once however often it is asked for (the same idempotency key), and that
the answer does what `charge.refunded` would have done. Refuses with Conflict what is not paid, what is
refunded already, and what was paid under another key than the one at hand.
"""

from __future__ import annotations

from models import stripe_api, test_checkout
from models.access import Access
from models.db import Db
from models.errors import Conflict, NotFound
from models.money_back import MoneyBack
from models.stripe_api import StripeApi
from models.stripe_objects import Checkout, StripeCharge
from models.stripe_webhook import StripeWebhook
from models.test_checkout import TestCheckout


class Refunds:
    def __init__(
        self,
        db: Db,
        access: Access,
        money_back: MoneyBack,
        webhook: StripeWebhook,
        stripe: StripeApi | None,
        page: TestCheckout | None,
    ) -> None:
        self._db, self._access, self._money_back = db, access, money_back
        self._webhook, self._stripe, self._page = webhook, stripe, page
        self._sql = db.statements("money_back")

    async def find(self, reference: str) -> Checkout:
        """By our attempt's id, Stripe's session or its payment. Raises NotFound."""
        found = await self._sql.one("find_payment", Checkout, reference=reference)
        if found is None:
            raise NotFound("There is no such payment.")
        return found

    async def refund(self, checkout: Checkout) -> None:
        """All of it. Raises Conflict, StripeAway, StripeRefused."""
        if checkout.state == "refunded":
            raise Conflict("This payment has been refunded already.")
        if checkout.state != "paid" or checkout.payment_intent is None:
            raise Conflict("This has not been paid, so there is nothing to give back.")
        if checkout.kind == "page" and self._page is not None:
            return await self._play(checkout, self._page)
        if self._stripe is None or self._stripe.kind != checkout.kind:
            raise Conflict("This was paid under another key. Refund it in Stripe's dashboard.")
        return await self._keep(await self._stripe.refund(checkout))

    async def _keep(self, charge: StripeCharge) -> None:
        async with self._db.transaction() as on:
            settled = await self._money_back.refunded(charge, on=on)
        self._access.tell(settled.change)

    async def _play(self, checkout: Checkout, page: TestCheckout) -> None:
        """Stripe's part, through the door of Stripe's."""
        payload = test_checkout.refund_event(checkout)
        await self._webhook.receive(payload, stripe_api.sign(payload, await page.secret()))
