"""News that is late: Stripe itself is asked how a checkout stands, for who looks and for who never came back.

Promises that one checkout is asked about at most every few seconds however many look, that the sweep asks
about a few at a time and the less often the older they are, and that an answer does what an event would have
done.
"""

from __future__ import annotations

from models.access import Access
from models.clock import Clock
from models.db import Db
from models.settlement import Settlement
from models.stripe_api import TOTAL_SECONDS, StripeApi, StripeAway, StripeRefused
from models.stripe_objects import Checkout

# Somebody who looks waits this long for Stripe, and Stripe is left alone this long about one checkout.
LOOK_SECONDS = 3.0
LOOK_PAUSE = 5
SWEEP_SECONDS = 60
SWEEP_MOST = 20


class LateNews:
    def __init__(
        self, db: Db, clock: Clock, access: Access, settlement: Settlement, stripe: StripeApi
    ) -> None:
        self._db, self._clock, self._access = db, clock, access
        self._settlement, self._stripe = settlement, stripe
        self._sql = db.statements("payments")

    async def look(self, checkout: Checkout) -> bool:
        """Asks about one, unless that was done a moment ago; says whether Stripe has answered."""
        if checkout.kind != self._stripe.kind or not await self._may_ask(checkout):
            return False
        try:
            await self._ask(checkout, LOOK_SECONDS)
        except (StripeAway, StripeRefused):
            return False
        return True

    async def sweep(self) -> int:
        """Asks about those nobody came back for; says about how many. Stops when Stripe is away."""
        claimed = await self._claim()
        for number, checkout in enumerate(claimed):
            try:
                await self._ask(checkout, TOTAL_SECONDS)
            except StripeAway:
                return number
            except StripeRefused:
                continue
        return len(claimed)

    async def _ask(self, checkout: Checkout, seconds: float) -> None:
        assert checkout.session_id is not None
        told = await self._stripe.retrieve(checkout.session_id, seconds)
        async with self._db.transaction() as on:
            settled = await self._settlement.settle(told, told.fact, on=on)
        self._access.tell(settled.change)

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
