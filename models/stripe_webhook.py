"""The door that Stripe's events come through: checked, kept and applied in one transaction.

Keeps the id of every event. Promises that twice, late, at once, out of order and before the redirect all end
alike. Refuses forged events (BadRequest) before it parses or asks anything, and, loudly in the log, events of
the other mode: a live event for a test key is never money.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from models import stripe_api
from models.access import Access
from models.clock import Clock
from models.config import Config
from models.db import Db, Transaction
from models.errors import BadRequest
from models.money_back import MoneyBack
from models.payment_provider import PaymentProvider
from models.settlement import IGNORED, Settled, Settlement
from models.stripe_events import News, StripeEvent, fact_of, read_event, read_news
from models.stripe_objects import StripeCharge, StripeIntent, StripeSession

logger = logging.getLogger(__name__)
Effect = Literal["applied", "duplicate", "ignored"]
MOST_PAYLOAD = 256 * 1024
# What models.health looks for among the newest events.
WRONG_MODE = Settled("wrong_livemode")


class StripeWebhook:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        access: Access,
        settlement: Settlement,
        money_back: MoneyBack,
        provider: PaymentProvider,
    ) -> None:
        self._db, self._clock, self._config, self._access = db, clock, config, access
        self._settlement, self._money_back = settlement, money_back
        self._page, self._kind = provider.page, provider.kind
        self._sql = db.statements("payments")

    async def receive(
        self, payload: bytes, signature: str, *, also: Callable[[Transaction], Awaitable[None]] | None = None
    ) -> Effect:
        """`also` is done in the same transaction, the first time. Raises BadRequest, Unavailable."""
        await self._check(payload, signature)
        event = read_event(payload)
        news = read_news(event)
        async with self._db.transaction() as on:
            values = {"event_id": event.id, "type": event.type, "now": self._clock.frozen}
            if not await self._sql.run("record_event", on=on, **values):
                return "duplicate"
            settled = await self._apply(event, news, on)
            await self._sql.run("note_effect", on=on, event_id=event.id, effect=settled.effect)
            if also is not None:
                await also(on)
        self._access.tell(settled.change)
        return "applied" if settled.effect == "applied" else "ignored"

    async def _check(self, payload: bytes, signature: str) -> None:
        """Before anything is parsed or asked: a forged one costs a hash. Raises BadRequest."""
        if not signature or len(payload) > MOST_PAYLOAD:
            raise BadRequest("This is no event of the payment provider.")
        secrets = self._config.stripe_webhook_secrets if self._config.stripe_secret_key else ()
        if self._page is not None:
            secrets = (await self._page.secret(),)
        stripe_api.check_signature(payload, signature, secrets)

    async def _apply(self, event: StripeEvent, news: News | None, on: Transaction) -> Settled:
        if event.livemode != (self._kind == "live"):
            facts = {"event": event.id, "livemode": event.livemode, "key": self._kind}
            logger.error("An event's livemode does not fit the key: nothing is done", extra=facts)
            return WRONG_MODE
        if isinstance(news, StripeSession):
            return await self._settlement.settle(news, fact_of(event, news), on=on)
        if isinstance(news, StripeIntent):
            return await self._settlement.settle_payment(news, on=on)
        if isinstance(news, StripeCharge):
            return await self._money_back.refunded(news, on=on)
        return IGNORED if news is None else await self._money_back.disputed(news, event.created, on=on)
