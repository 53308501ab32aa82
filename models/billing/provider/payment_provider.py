"""The payment provider of this site: Stripe, the built-in test checkout, or none."""

from __future__ import annotations

from models.billing.provider.sandbox import Sandbox
from models.billing.provider.stripe_api import StripeApi
from models.billing.provider.stripe_types import CheckoutKind
from models.security.site_secret import SiteSecret
from models.settings.config import Config


class PaymentProvider:
    """At most one of `stripe` and `page` is set. `kind` is the kind of every checkout that it makes."""

    def __init__(self, config: Config, site_secret: SiteSecret) -> None:
        self.stripe = StripeApi(config) if config.stripe_secret_key else None
        self.page = Sandbox(site_secret, config) if config.has_test_checkout else None
        self.kind: CheckoutKind = self.stripe.kind if self.stripe else "page"

    async def close(self) -> None:
        if self.stripe is not None:
            await self.stripe.close()
