"""Reconciliation: the operator's list of payments, and the differences between it and Stripe.

Both sides are read and nothing is changed; the operator decides about differences. Every checkout, charge and
dispute of the period that belongs to this site is compared, page by page, and also whether each payer has
access. Raises: Conflict if there is no Stripe key.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from models.billing.provider.stripe_api import StripeApi
from models.billing.provider.stripe_types import Checkout, StripeCharge, StripeDispute, StripeSession
from models.clock import Clock
from models.currencies import amount_text
from models.errors import Conflict
from models.ids import is_id
from models.postgres.database import Db

DAY = 24 * 3600


class Payment(msgspec.Struct, frozen=True):
    """One attempt to pay, with Stripe's ids, for the operator.

    `is_owed`: it is still to be refunded: its user was deleted before it, or has taken it back.
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
    # The fields in which the payment differs from the created checkout; empty if it does not.
    review: list[str]
    has_failed_refund: bool
    dispute: str | None
    # The issuer's early fraud warning.
    warning: str | None
    is_of_nobody: bool
    is_owed: bool

    @property
    def amount_text(self) -> str:
        return amount_text(self.amount_cents, self.currency)

    @property
    def refunded_text(self) -> str:
        return amount_text(self.refunded_cents, self.currency)


class Difference(msgspec.Struct, frozen=True):
    """A difference: where to look (`stripe_id`, `attempt_id`), and each side's value (`here`, `there`)."""

    what: str
    stripe_id: str
    attempt_id: str
    here: str
    there: str


class OwnCheckout(Checkout, frozen=True, kw_only=True):
    is_recent: bool
    refunded_cents: int
    review: list[str]
    is_worth_access: bool
    has_access: bool


class _Dispute(msgspec.Struct, frozen=True):
    dispute_id: str
    status: str


class StripeRecords(msgspec.Struct, frozen=True):
    """The objects that Stripe lists; sessions and charges only if they carry an attempt id of this site."""

    sessions: list[StripeSession]
    charges: list[StripeCharge]
    disputes: list[StripeDispute]


NOTHING = StripeRecords([], [], [])


class Reconciliation:
    def __init__(self, db: Db, clock: Clock, stripe: StripeApi | None) -> None:
        self._clock, self._stripe = clock, stripe
        self._sql = db.statements("billing.reconciliation")

    async def payments(self, days: int) -> list[Payment]:
        """Every attempt of the last `days`, newest first."""
        return await self._sql.all("payments", Payment, days=days, now=self._clock.frozen)

    async def differences(self, days: int) -> list[Difference]:
        """All differences of the last `days`. Raises: Conflict, StripeUnavailable, StripeRefused."""
        if self._stripe is None:
            raise Conflict("There is no Stripe key, so there is nothing to compare with.")
        since = self._clock.now_ms() // 1000 - days * DAY
        theirs = await _listed(self._stripe, since)
        ours = await self.own_checkouts(self._stripe.kind, since, theirs)
        by_attempt = {one.attempt_id: one for one in ours}
        by_payment = {one.payment_intent: one for one in ours if one.payment_intent}
        return [
            *(
                found
                for reported in theirs.sessions
                for found in of_session(reported, by_attempt.get(reported.attempt_id))
            ),
            *(
                found
                for reported in theirs.charges
                for found in of_charge(reported, by_attempt.get(reported.attempt_id))
            ),
            *await self._of_disputes(theirs.disputes, by_payment),
            *of_ours(ours, {reported.id for reported in theirs.sessions}),
        ]

    async def own_checkouts(
        self, kind: str, since: int, theirs: StripeRecords = NOTHING
    ) -> list[OwnCheckout]:
        """Our side of the comparison: checkouts of a kind since an instant (epoch seconds)."""
        named = {
            reported.attempt_id
            for reported in (*theirs.sessions, *theirs.charges)
            if is_id(reported.attempt_id)
        }
        payments = [reported.payment_intent for reported in theirs.disputes if reported.payment_intent]
        return await self._sql.all(
            "ours", OwnCheckout, kind=kind, since=since, attempt_ids=sorted(named), payments=payments
        )

    async def _of_disputes(
        self, reported: list[StripeDispute], ours: dict[str, OwnCheckout]
    ) -> list[Difference]:
        known = await self._sql.all("disputes", _Dispute, payments=list(ours))
        here = {one.dispute_id: one.status for one in known}
        return [
            Difference(
                "dispute", one.id, ours[one.payment_intent].attempt_id, here.get(one.id, "none"), outcome
            )
            for one in reported
            if one.payment_intent in ours and (outcome := one.outcome) and outcome != here.get(one.id)
        ]


async def _listed(stripe: StripeApi, since: int) -> StripeRecords:
    """Failed charges are left out: they moved no money."""
    charges = [reported async for reported in stripe.charges_since(since)]
    return StripeRecords(
        [reported async for reported in stripe.sessions_since(since) if reported.attempt_id],
        [reported for reported in charges if reported.attempt_id and reported.status != "failed"],
        [reported async for reported in stripe.disputes_since(since)],
    )


def of_session(reported: StripeSession, ours: OwnCheckout | None) -> list[Difference]:
    """The differences between Stripe's checkout and ours."""
    if ours is None:
        return [Difference("checkout", reported.id, reported.attempt_id, "unknown", reported.fact)]
    # What was found then is stored with the payment.
    unlike = [name for name in ours.differences(reported) if name not in ours.review]
    found = [Difference(name, reported.id, ours.attempt_id, "as created", "another") for name in unlike]
    is_paid = ours.state in ("paid", "refunded", "review")
    if (reported.fact == "paid") != is_paid:
        found.append(Difference("payment", reported.id, ours.attempt_id, ours.state, reported.fact))
    return found


def of_charge(reported: StripeCharge, ours: OwnCheckout | None) -> list[Difference]:
    if ours is None:
        return [Difference("charge", reported.id, reported.attempt_id, "unknown", str(reported.amount))]
    if reported.amount_refunded == ours.refunded_cents:
        return []
    sums = str(ours.refunded_cents), str(reported.amount_refunded)
    return [Difference("refunded", reported.id, ours.attempt_id, *sums)]


def of_ours(ours: list[OwnCheckout], listed: set[str]) -> list[Difference]:
    """Checkouts that Stripe does not know, and payers whose access does not match their payment."""
    found = []
    for one in ours:
        if one.is_recent and one.session_id and one.session_id not in listed:
            found.append(Difference("checkout", one.session_id, one.attempt_id, one.state, "unknown"))
        if one.is_worth_access != one.has_access:
            says = ("in" if one.has_access else "not in"), ("in" if one.is_worth_access else "not in")
            found.append(Difference("access", one.session_id or "", one.attempt_id, *says))
    return found
