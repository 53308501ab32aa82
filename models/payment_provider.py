"""The payment provider of this site: Stripe, the built-in test checkout, or none."""

from __future__ import annotations

from models.config import Config
from models.site_secret import SiteSecret
from models.stripe_api import StripeApi
from models.stripe_types import Kind
from models.test_checkout import Sandbox


class PaymentProvider:
    """At most one of `stripe` and `page` is set. `kind` is the kind of every checkout that it makes."""

    def __init__(self, config: Config, site_secret: SiteSecret) -> None:
        self.stripe = StripeApi(config) if config.stripe_secret_key else None
        self.page = Sandbox(site_secret, config) if config.has_test_checkout else None
        self.kind: Kind = self.stripe.kind if self.stripe else "page"

    async def close(self) -> None:
        if self.stripe is not None:
            await self.stripe.close()
