"""What news about a checkout does: one grant and one code for one payment, or nothing.

Promises that the same fact told twice, by whatever events and look-ups, in whatever order, has one effect,
and that what was paid counts whatever we believed before. Refuses, loudly in the log, what is not as we
created it: amount, currency, person, mode or livemode.
"""

from __future__ import annotations

import logging

import msgspec

from models.access import Access, AccessChange
from models.clock import Clock
from models.db import Db, Transaction
from models.ids import is_id
from models.invite_codes import InviteCodes
from models.stripe_events import Checkout, Fact, StripeSession

logger = logging.getLogger(__name__)


class Settled(msgspec.Struct, frozen=True):
    """`effect` is applied, ignored or refused; `change` is to be told after the commit."""

    effect: str
    change: AccessChange | None = None


IGNORED = Settled("ignored")
REFUSED = Settled("refused")


class Settlement:
    def __init__(self, db: Db, clock: Clock, access: Access, invite_codes: InviteCodes) -> None:
        self._clock, self._access, self._invite_codes = clock, access, invite_codes
        self._sql = db.statements("payments")

    async def settle(self, told: StripeSession, fact: Fact, *, on: Transaction) -> Settled:
        """Applies what was told about a checkout session."""
        checkout = await self._find(told, on)
        if checkout is None:
            return self._unknown(told, fact)
        if differences := checkout.differences(told):
            facts = {"attempt_id": checkout.attempt_id, "session": told.id, "differences": differences}
            logger.error("A checkout is not as we created it: nothing is granted", extra=facts)
            return REFUSED
        await self._access.lock(checkout.user_id, on=on)
        return await self._apply(checkout, told, fact, on)

    async def _find(self, told: StripeSession, on: Transaction) -> Checkout | None:
        attempt_id = told.attempt_id if is_id(told.attempt_id) else None
        return await self._sql.one("find_told", Checkout, on=on, session_id=told.id, attempt_id=attempt_id)

    def _unknown(self, told: StripeSession, fact: Fact) -> Settled:
        """Another shop's on the same Stripe account is no news; one that says it is ours is."""
        if told.attempt_id and fact == "paid":
            logger.error("A checkout that we do not know was paid", extra={"session": told.id})
            return REFUSED
        return IGNORED

    async def _apply(self, checkout: Checkout, told: StripeSession, fact: Fact, on: Transaction) -> Settled:
        if fact == "paid":
            return await self._pay(checkout, told, on)
        if fact in ("failed", "expired"):
            values = {"attempt_id": checkout.attempt_id, "session_id": told.id, "state": fact}
            is_new = await self._sql.run("settle_unpaid", on=on, now=self._clock.frozen, **values)
            return Settled("applied") if is_new else IGNORED
        return IGNORED

    async def _pay(self, checkout: Checkout, told: StripeSession, on: Transaction) -> Settled:
        is_new = await self._sql.run(
            "pay",
            on=on,
            attempt_id=checkout.attempt_id,
            session_id=told.id,
            payment_intent=told.payment_intent,
            now=self._clock.frozen,
        )
        if not is_new:
            return IGNORED
        change = await self._access.grant(checkout.user_id, "payment", checkout.attempt_id, on=on)
        await self._invite_codes.ensure_own(checkout.user_id, on=on)
        return Settled("applied", change)
