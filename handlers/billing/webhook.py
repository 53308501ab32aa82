"""The Stripe webhook over HTTP: raw bytes and a signature."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from handlers.http.bodies import refuse_unread
from models.errors import BadSignature, UntimelySignature


class StripeWebhookHandler(BaseHandler):
    """POST /payment/webhook: no session, no XSRF token, no Origin; the signature alone decides."""

    async def prepare(self) -> None:
        """No session look-up: a forged event costs one hash."""

    def check_xsrf_cookie(self) -> None:
        """Stripe sends no cookie of this site."""
        refuse_unread(self.request)

    @property
    def is_page(self) -> bool:
        return False

    async def post(self) -> None:
        signature = self.request.headers.get("Stripe-Signature", "")
        try:
            await self.models.stripe_webhook.receive(self.request.body, signature)
        except BadSignature as problem:
            if self.config.stripe_secret_key:  # the test checkout has no secret that could be wrong
                is_late = isinstance(problem, UntimelySignature)
                self.application.misconfigurations.note("webhook_clock" if is_late else "webhook_secret")
            raise
        self.json({"received": True})
