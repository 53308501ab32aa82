"""What news about a checkout does: one grant and one code for one payment, or nothing.

Promises that the same fact told twice, by whatever events and look-ups, in whatever order, has one effect,
and that what was paid counts whatever we believed before. Refuses, loudly in the log, what is not as we
created it: amount, currency, person, mode or livemode. Money that goes back is `models.money_back`'s.
"""

from __future__ import annotations

import logging

import msgspec

from models.access import Access, AccessChange
from models.clock import Clock
from models.db import Db, Transaction
from models.entitlement import Entitlement
from models.ids import is_id
from models.stripe_objects import Checkout, Fact, StripeIntent, StripeSession, Told

logger = logging.getLogger(__name__)


class Settled(msgspec.Struct, frozen=True):
    """`effect` is applied, ignored or refused; `change` is to be told after the commit."""

    effect: str
    change: AccessChange | None = None


IGNORED = Settled("ignored")
REFUSED = Settled("refused")


class Settlement:
    def __init__(self, db: Db, clock: Clock, access: Access, entitlement: Entitlement) -> None:
        self._clock, self._access, self._entitlement = clock, access, entitlement
        self._sql = db.statements("payments")
        self._payments_sql = db.statements("money_back")

    async def settle(self, told: StripeSession, fact: Fact, *, on: Transaction) -> Settled:
        """Applies what was told about a checkout session."""
        await self._lock(told.payment_intent, on)
        checkout = await self._find(told, told.id, on)
        if checkout is None:
            return unknown(told) if fact == "paid" else IGNORED
        if differences := checkout.differences(told):
            return unlike(checkout, told, differences)
        await self._access.lock(checkout.user_id, on=on)
        if fact == "paid":
            return await self._pay(checkout, told.id, told.payment_intent, on)
        return await self._close(checkout, told, fact, on)

    async def settle_payment(self, told: StripeIntent, *, on: Transaction) -> Settled:
        """The money has come: the same fact as the session's, and it may be told first."""
        await self._lock(told.id, on)
        checkout = await self._find(told, None, on)
        if checkout is None:
            return unknown(told)
        if differences := checkout.differences_of_payment(told):
            return unlike(checkout, told, differences)
        await self._access.lock(checkout.user_id, on=on)
        return await self._pay(checkout, None, told.id, on)

    async def _lock(self, payment_intent: str | None, on: Transaction) -> None:
        if payment_intent is not None:
            await self._payments_sql.run("lock_payment", on=on, payment_intent=payment_intent)

    async def _find(self, told: Told, session_id: str | None, on: Transaction) -> Checkout | None:
        attempt_id = told.attempt_id if is_id(told.attempt_id) else None
        return await self._sql.one("find_told", Checkout, on=on, session_id=session_id, attempt_id=attempt_id)

    async def _close(self, checkout: Checkout, told: StripeSession, fact: Fact, on: Transaction) -> Settled:
        if fact == "waiting":
            return IGNORED
        values = {"attempt_id": checkout.attempt_id, "session_id": told.id, "state": fact}
        is_new = await self._sql.run("settle_unpaid", on=on, now=self._clock.frozen, **values)
        return Settled("applied") if is_new else IGNORED

    async def _pay(
        self, checkout: Checkout, session_id: str | None, payment_intent: str | None, on: Transaction
    ) -> Settled:
        attempt_id, session = checkout.attempt_id, {"session_id": session_id}
        is_new = await self._sql.run("pay", on=on, attempt_id=attempt_id, now=self._clock.frozen, **session)
        is_linked = await self._sql.run(
            "link", on=on, attempt_id=attempt_id, payment_intent=payment_intent, **session
        )
        if not is_new and not is_linked:
            return IGNORED
        change = await self._entitlement.work_out(attempt_id, checkout.user_id, on=on)
        return Settled("applied" if is_new else "ignored", change)


def unknown(told: Told) -> Settled:
    """Another shop's on the same Stripe account is no news; one that says it is ours is."""
    if not told.attempt_id:
        return IGNORED
    logger.error("A payment for a checkout that we do not know", extra={"stripe_id": told.id})
    return REFUSED


def unlike(checkout: Checkout, told: Told, differences: list[str]) -> Settled:
    facts = {"attempt_id": checkout.attempt_id, "stripe_id": told.id, "differences": differences}
    logger.error("A checkout is not as we created it: nothing is granted", extra=facts)
    return REFUSED
