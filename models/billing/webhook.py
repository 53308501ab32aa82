"""The Stripe webhook: events are verified, recorded and applied in one transaction.

Every event id is recorded. Repeated, late, simultaneous and reordered events, and events before the redirect,
have the same result. A forged event is rejected before it is read. An event of the other mode is logged as
an error and has no effect: a live event never counts for a test key.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from models.access.grants import Grants
from models.billing.fulfillment import IGNORED, AppliedEvent, Fulfillment
from models.billing.provider import stripe_api
from models.billing.provider.payment_provider import PaymentProvider
from models.billing.provider.stripe_events import EventObject, StripeEvent, fact_of, read_event, read_object
from models.billing.provider.stripe_types import (
    StripeCharge,
    StripeFraudWarning,
    StripeIntent,
    StripeRefund,
    StripeSession,
)
from models.billing.reversals import Reversals
from models.business_events import record
from models.clock import Clock
from models.errors import BadRequest
from models.postgres.database import Db, Transaction
from models.settings.config import Config

logger = logging.getLogger(__name__)
Effect = Literal["applied", "duplicate", "ignored", "review"]
DISPUTE_CREATED = "charge.dispute.created"
MOST_PAYLOAD = 256 * 1024
# models.health looks for this effect among the newest events.
WRONG_MODE = AppliedEvent("wrong_livemode")


class StripeWebhook:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        grants: Grants,
        settlement: Fulfillment,
        reversals: Reversals,
        provider: PaymentProvider,
    ) -> None:
        self._db, self._clock, self._config, self._grants = db, clock, config, grants
        self._settlement, self._reversals = settlement, reversals
        self._page, self._kind = provider.page, provider.kind
        self._sql = db.statements("billing.checkouts")

    async def receive(
        self, payload: bytes, signature: str, *, also: Callable[[Transaction], Awaitable[None]] | None = None
    ) -> Effect:
        """Applies an event once; `also` runs in the same transaction. Raises: BadRequest, Unavailable."""
        await self._check(payload, signature)
        event = read_event(payload)
        subject = read_object(event)

        async def apply_once(on: Transaction) -> AppliedEvent | None:
            values = {"event_id": event.id, "type": event.type, "now": self._clock.frozen}
            if not await self._sql.run("record_event", on=on, **values):
                return None
            settled = await self._apply(event, subject, on)
            await self._sql.run("note_effect", on=on, event_id=event.id, effect=settled.effect)
            if also is not None:
                await also(on)
            return settled

        settled = await self._db.transact(apply_once)
        record("webhook", "duplicate" if settled is None else settled.effect)
        if settled is None:
            return "duplicate"
        self._grants.publish(settled.change)
        if settled.effect == "review":
            return "review"
        return "applied" if settled.effect == "applied" else "ignored"

    async def _check(self, payload: bytes, signature: str) -> None:
        """Verifies the signature. Nothing is parsed or queried before. Raises: BadRequest."""
        if not signature or len(payload) > MOST_PAYLOAD:
            raise BadRequest("This is not an event from the payment provider.")
        secrets = self._config.stripe_webhook_secrets if self._config.stripe_secret_key else ()
        if self._page is not None:
            secrets = (await self._page.secret(),)
        stripe_api.check_signature(payload, signature, secrets)

    async def _apply(self, event: StripeEvent, subject: EventObject | None, on: Transaction) -> AppliedEvent:
        if event.livemode != (self._kind == "live"):
            facts = {"event": event.id, "livemode": event.livemode, "key": self._kind}
            logger.error("An event's livemode does not match the key: the event has no effect", extra=facts)
            return WRONG_MODE
        if isinstance(subject, StripeSession):
            return await self._settlement.settle(subject, fact_of(event, subject), on=on)
        if isinstance(subject, StripeIntent):
            return await self._settlement.settle_payment(subject, on=on)
        if isinstance(subject, StripeCharge):
            return await self._reversals.refunded(subject, event.created, on=on)
        if isinstance(subject, StripeRefund):
            return await self._reversals.refund(subject, event.created, on=on)
        if isinstance(subject, StripeFraudWarning):
            return await self._reversals.warned(subject, on=on)
        if subject is None:
            return IGNORED
        is_first = event.type == DISPUTE_CREATED
        return await self._reversals.disputed(subject, event.created, is_first=is_first, on=on)
