"""The Stripe webhook over HTTP: raw bytes and a signature."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from handlers.http.bodies import refuse_unread
from models.billing.provider.stripe_events import may_be_of_stripe
from models.business_events import record
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
            record("webhook", "forged")
            if self.config.stripe_secret_key:  # the test checkout has no secret that could be wrong
                self._note(problem, signature)
            raise
        if self.config.stripe_secret_key:
            self.application.misconfigurations.disprove("webhook_secret")
        self.json({"received": True})

    def _note(self, problem: BadSignature, signature: str) -> None:
        """Notes a wrong secret only if the request looks like an event of Stripe: anyone can send garbage."""
        misconfigurations = self.application.misconfigurations
        if isinstance(problem, UntimelySignature):
            misconfigurations.note("webhook_clock")
        elif may_be_of_stripe(self.request.body, signature):
            misconfigurations.note("webhook_secret")
