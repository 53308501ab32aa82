"""Polling of Stripe for checkouts whose webhook has not arrived.

Stripe is queried when the user opens the return page, and by the sweep. One checkout is queried at most every
few seconds, however many users look. The sweep queries a few at a time, older ones less often. An answer has
the effect of the corresponding event.
"""

from __future__ import annotations

from models.access.grants import Grants
from models.billing.fulfillment import Fulfillment
from models.billing.provider.stripe_api import TOTAL_SECONDS, StripeApi, StripeRefused, StripeUnavailable
from models.billing.provider.stripe_types import Checkout
from models.clock import Clock
from models.postgres.database import Db

# The time limit of a query from the return page, and the minimum pause between two queries of a checkout.
LOOK_SECONDS = 3.0
LOOK_PAUSE = 5
SWEEP_SECONDS = 60
SWEEP_MOST = 20


class Polling:
    def __init__(
        self, db: Db, clock: Clock, grants: Grants, settlement: Fulfillment, stripe: StripeApi
    ) -> None:
        self._db, self._clock, self._grants = db, clock, grants
        self._settlement, self._stripe = settlement, stripe
        self._sql = db.statements("billing.checkouts")

    async def look(self, checkout: Checkout) -> bool:
        """Queries one checkout, unless that was done a moment ago. True if Stripe answered."""
        if checkout.kind != self._stripe.kind or not await self._may_ask(checkout):
            return False
        try:
            await self._ask(checkout, LOOK_SECONDS)
        except (StripeUnavailable, StripeRefused):
            return False
        return True

    async def sweep(self) -> int:
        """Queries unsettled checkouts and returns their number. Stops when Stripe is down."""
        claimed = await self._claim()
        for number, checkout in enumerate(claimed):
            try:
                await self._ask(checkout, TOTAL_SECONDS)
            except StripeUnavailable:
                return number
            except StripeRefused:
                continue
        return len(claimed)

    async def _ask(self, checkout: Checkout, seconds: float) -> None:
        assert checkout.session_id is not None
        told = await self._stripe.retrieve(checkout.session_id, seconds)
        async with self._db.transaction() as on:
            settled = await self._settlement.settle(told, told.fact, on=on)
        self._grants.publish(settled.change)

    async def _may_ask(self, checkout: Checkout) -> bool:
        values = {"attempt_id": checkout.attempt_id, "pause_seconds": LOOK_PAUSE}
        return await self._sql.run("ask_now", on=None, now=self._clock.frozen, **values) == 1

    async def _claim(self) -> list[Checkout]:
        return await self._sql.all(
            "claim_unsettled",
            Checkout,
            kind=self._stripe.kind,
            least_seconds=SWEEP_SECONDS,
            most=SWEEP_MOST,
            now=self._clock.frozen,
        )
