"""A signed event without effect, to check the webhook from outside; and the endpoint as Stripe has it."""

from __future__ import annotations

import secrets
import time

import msgspec

from models.billing.provider import stripe_api
from models.billing.provider.payment_provider import PaymentProvider
from models.billing.provider.stripe_events import EVENTS
from models.errors import Unavailable
from models.postgres.database import Db
from models.settings.config import Config

EVENT_TYPE = "napalmsky.probe"


class SignedEvent(msgspec.Struct, frozen=True):
    event_id: str
    payload: bytes
    signature: str


class WebhookProbe:
    def __init__(self, db: Db, config: Config, provider: PaymentProvider) -> None:
        self._config, self._provider = config, provider
        self._sql = db.statements("billing.webhook_probe")

    async def event(self) -> SignedEvent | None:
        """Of a type that the site ignores, signed with the first secret. None without a payment provider."""
        secret = next(iter(self._config.stripe_webhook_secrets), "")
        if self._provider.page is not None:
            secret = await self._provider.page.secret()
        if not secret:
            return None
        event_id = f"evt_probe_{secrets.token_hex(12)}"
        body = {
            "id": event_id,
            "object": "event",
            "type": EVENT_TYPE,
            "created": int(time.time()),
            "livemode": self._provider.kind == "live",
            "data": {"object": {}},
        }
        payload = msgspec.json.encode(body)
        return SignedEvent(event_id, payload, stripe_api.sign(payload, secret))

    async def effect(self, event_id: str) -> str | None:
        """What the site made of the event, which is then forgotten. None if it is not in this database."""
        effect: str | None = await self._sql.value("effect", event_id=event_id)
        await self._sql.run("forget", event_id=event_id)
        return effect

    async def stripe_faults(self) -> list[str] | None:
        """What is wrong with the key and with the endpoint at Stripe. None without a key."""
        stripe = self._provider.stripe
        if stripe is None:
            return None
        try:
            endpoints = [one async for one in stripe.webhook_endpoints()]
        except stripe_api.StripeRefused:
            text = "STRIPE_SECRET_KEY: Stripe refuses it. It was revoked, or is restricted"
            return [f"{text} and may not read webhook endpoints."]
        except Unavailable:
            return ["STRIPE_API_BASE: Stripe cannot be reached from this machine (a firewall, or the DNS)."]
        url = f"{self._config.base_url}/payment/webhook"
        ours = [one for one in endpoints if one.url == url and one.status == "enabled"]
        if not ours:
            return [f"STRIPE_WEBHOOK_SECRET: Stripe has no enabled webhook endpoint {url}. Add it."]
        enabled = {event for one in ours for event in one.enabled_events}
        missing = sorted(set(EVENTS) - enabled)
        if missing and "*" not in enabled:
            return [
                f"STRIPE_WEBHOOK_SECRET: Stripe's webhook endpoint lacks the events {', '.join(missing)}."
            ]
        return []
