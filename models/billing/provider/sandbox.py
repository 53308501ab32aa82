"""The test checkout: a page of this site that replaces Stripe while there is no key.

Its events have Stripe's form: bytes with a signature, sent through the same webhook. The signing secret is
derived from the site's secret (`models.security.site_secret`), so all processes share it.
"""

from __future__ import annotations

import secrets

import msgspec

from models.billing.provider.stripe_types import Checkout
from models.ids import new_id
from models.security.site_secret import SiteSecret
from models.settings.config import Config

PURPOSE = "test checkout webhook"


class Sandbox:
    def __init__(self, site_secret: SiteSecret, config: Config) -> None:
        self._config = config
        self._site_secret = site_secret

    async def secret(self) -> str:
        """The signing secret of its events."""
        return "whsec_" + (await self._site_secret.digest(PURPOSE, "")).hex()

    def url(self, session_id: str) -> str:
        return f"{self._config.base_url}/test-checkout/{session_id}"


def new_session_id() -> str:
    return "cs_test_" + secrets.token_hex(24)


def event(checkout: Checkout, *, is_paid: bool) -> bytes:
    """`checkout.session.completed` or `checkout.session.expired`, as Stripe writes them."""
    kind = "checkout.session.completed" if is_paid else "checkout.session.expired"
    return _event(kind, _session(checkout, is_paid))


def refund_event(checkout: Checkout) -> bytes:
    """`charge.refunded`, for the whole amount."""
    return _event("charge.refunded", _charge(checkout))


def _event(kind: str, about: dict[str, object]) -> bytes:
    body = {
        "id": f"evt_{new_id().replace('-', '')}",
        "object": "event",
        "type": kind,
        "livemode": False,
        "data": {"object": about},
    }
    return msgspec.json.encode(body)


def _charge(checkout: Checkout) -> dict[str, object]:
    return {
        "id": f"ch_{new_id().replace('-', '')}",
        "object": "charge",
        "payment_intent": checkout.payment_intent,
        "amount": checkout.amount_cents,
        "amount_refunded": checkout.amount_cents,
        "refunded": True,
        "currency": checkout.currency,
        "metadata": {"user_id": checkout.user_id, "attempt_id": checkout.attempt_id},
        "livemode": False,
    }


def _session(checkout: Checkout, is_paid: bool) -> dict[str, object]:
    return {
        "id": checkout.session_id,
        "object": "checkout.session",
        "amount_total": checkout.amount_cents,
        "currency": checkout.currency,
        "client_reference_id": checkout.user_id,
        "metadata": {"user_id": checkout.user_id, "attempt_id": checkout.attempt_id},
        "mode": "payment",
        "livemode": False,
        "status": "complete" if is_paid else "expired",
        "payment_status": "paid" if is_paid else "unpaid",
        "payment_intent": f"pi_{new_id().replace('-', '')}" if is_paid else None,
    }
