"""Stripe's door: raw bytes and a signature."""

from __future__ import annotations

from handlers.base import BaseHandler


class StripeWebhookHandler(BaseHandler):
    """POST /payment/webhook: no session, no XSRF token, no Origin; the signature alone decides."""

    async def prepare(self) -> None:
        """Nobody is looked up: a forged event costs no more than a hash."""

    def check_xsrf_cookie(self) -> None:
        """Stripe has no cookie of ours."""

    @property
    def is_page(self) -> bool:
        return False

    async def post(self) -> None:
        await self.models.stripe_webhook.receive(
            self.request.body, self.request.headers.get("Stripe-Signature", "")
        )
        self.json({"received": True})
