"""The operator's look at the money: every payment, and what we and Stripe say differently about it.

Promises to read both sides and to change nothing: what differs is for the operator to judge. Compares every
checkout, charge and dispute of the last days that is ours, page after page, and whether whoever has paid is
in. Refuses with Conflict where there is no Stripe to compare with.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.amounts import amount_text
from models.clock import Clock
from models.db import Db
from models.errors import Conflict
from models.ids import is_id
from models.stripe_api import StripeApi
from models.stripe_objects import Checkout, StripeCharge, StripeDispute, StripeSession

DAY = 24 * 3600


class Payment(msgspec.Struct, frozen=True):
    """One attempt to pay, with Stripe's ids, as the operator sees it.

    `is_owed`: it came after its person had been deleted, and is still to go back.
    """

    attempt_id: str
    user_id: str
    name: str
    kind: str
    amount_cents: int
    currency: str
    state: str
    session_id: str | None
    payment_intent: str | None
    created_at: datetime
    settled_at: datetime | None
    refunded_cents: int
    dispute: str | None
    is_of_nobody: bool
    is_owed: bool

    @property
    def amount_text(self) -> str:
        return amount_text(self.amount_cents, self.currency)

    @property
    def refunded_text(self) -> str:
        return amount_text(self.refunded_cents, self.currency)


class Difference(msgspec.Struct, frozen=True):
    """`stripe_id` and `attempt_id` say where to look; `here` and `there` what each side says."""

    what: str
    stripe_id: str
    attempt_id: str
    here: str
    there: str


class Ours(Checkout, frozen=True, kw_only=True):
    is_recent: bool
    refunded_cents: int
    is_worth_access: bool
    has_access: bool


class _Dispute(msgspec.Struct, frozen=True):
    dispute_id: str
    status: str


class Theirs(msgspec.Struct, frozen=True):
    """What Stripe lists; of sessions and charges only those that carry an attempt of ours."""

    sessions: list[StripeSession]
    charges: list[StripeCharge]
    disputes: list[StripeDispute]


class Reconciliation:
    def __init__(self, db: Db, clock: Clock, stripe: StripeApi | None) -> None:
        self._clock, self._stripe = clock, stripe
        self._sql = db.statements("reconciliation")

    async def payments(self, days: int) -> list[Payment]:
        """Every attempt of the last days, the newest first."""
        return await self._sql.all("payments", Payment, days=days, now=self._clock.frozen)

    async def differences(self, days: int) -> list[Difference]:
        """Raises Conflict, StripeAway, StripeRefused."""
        if self._stripe is None:
            raise Conflict("There is no Stripe key, so there is nothing to compare with.")
        since = self._clock.now_ms() // 1000 - days * DAY
        theirs = await _listed(self._stripe, since)
        ours = await self._ours(self._stripe.kind, since, theirs)
        by_attempt = {one.attempt_id: one for one in ours}
        by_payment = {one.payment_intent: one for one in ours if one.payment_intent}
        return [
            *(
                found
                for told in theirs.sessions
                for found in of_session(told, by_attempt.get(told.attempt_id))
            ),
            *(found for told in theirs.charges for found in of_charge(told, by_attempt.get(told.attempt_id))),
            *await self._of_disputes(theirs.disputes, by_payment),
            *of_ours(ours, {told.id for told in theirs.sessions}),
        ]

    async def _ours(self, kind: str, since: int, theirs: Theirs) -> list[Ours]:
        named = {told.attempt_id for told in (*theirs.sessions, *theirs.charges) if is_id(told.attempt_id)}
        payments = [told.payment_intent for told in theirs.disputes if told.payment_intent]
        return await self._sql.all(
            "ours", Ours, kind=kind, since=since, attempt_ids=sorted(named), payments=payments
        )

    async def _of_disputes(self, told: list[StripeDispute], ours: dict[str, Ours]) -> list[Difference]:
        known = await self._sql.all("disputes", _Dispute, payments=list(ours))
        here = {one.dispute_id: one.status for one in known}
        return [
            Difference(
                "dispute", one.id, ours[one.payment_intent].attempt_id, here.get(one.id, "none"), outcome
            )
            for one in told
            if one.payment_intent in ours and (outcome := one.outcome) and outcome != here.get(one.id)
        ]


async def _listed(stripe: StripeApi, since: int) -> Theirs:
    return Theirs(
        [told async for told in stripe.sessions_since(since) if told.attempt_id],
        [told async for told in stripe.charges_since(since) if told.attempt_id],
        [told async for told in stripe.disputes_since(since)],
    )


def of_session(told: StripeSession, ours: Ours | None) -> list[Difference]:
    """Stripe's checkout against ours."""
    if ours is None:
        return [Difference("checkout", told.id, told.attempt_id, "unknown", told.fact)]
    unlike = ours.differences(told)
    found = [Difference(name, told.id, ours.attempt_id, "as created", "another") for name in unlike]
    is_paid = ours.state in ("paid", "refunded")
    if (told.fact == "paid") != is_paid:
        found.append(Difference("payment", told.id, ours.attempt_id, ours.state, told.fact))
    return found


def of_charge(told: StripeCharge, ours: Ours | None) -> list[Difference]:
    if ours is None:
        return [Difference("charge", told.id, told.attempt_id, "unknown", str(told.amount))]
    if told.amount_refunded == ours.refunded_cents:
        return []
    sums = str(ours.refunded_cents), str(told.amount_refunded)
    return [Difference("refunded", told.id, ours.attempt_id, *sums)]


def of_ours(ours: list[Ours], listed: set[str]) -> list[Difference]:
    """What Stripe does not know, and who has paid without being in (or the other way round)."""
    found = []
    for one in ours:
        if one.is_recent and one.session_id and one.session_id not in listed:
            found.append(Difference("checkout", one.session_id, one.attempt_id, one.state, "unknown"))
        if one.is_worth_access != one.has_access:
            says = ("in" if one.has_access else "not in"), ("in" if one.is_worth_access else "not in")
            found.append(Difference("access", one.session_id or "", one.attempt_id, *says))
    return found
