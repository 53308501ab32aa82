"""Stripe's objects as far as we read them, our own record of a checkout, and how the two are compared. Pure.

Promises that a payment counts only when amount, currency, person, mode and livemode are as we created them.
The field names are Stripe's own (docs.stripe.com/api: checkout/sessions, payment_intents, charges, disputes).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

StripeId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,255}\Z")]
Kind = Literal["live", "test", "page"]
# Several events may tell the same one.
Fact = Literal["paid", "failed", "expired", "waiting"]
State = Literal["open", "paid", "failed", "expired", "refunded"]
DisputeStatus = Literal["open", "won", "lost"]
Metadata = dict[str, str]
# What was said, and what we created.
Pairs = dict[str, tuple[object, object]]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What all of them have."""

    id: StripeId
    metadata: Metadata | None = None
    currency: str | None = None
    livemode: bool | None = None

    @property
    def attempt_id(self) -> str:
        """What we wrote into its metadata; empty when it is not ours."""
        return (self.metadata or {}).get("attempt_id", "")


class StripeSession(Told, frozen=True, kw_only=True):
    """A Checkout Session, in an event or asked for."""

    url: str | None = None
    client_reference_id: str | None = None
    amount_total: int | None = None
    mode: str | None = None
    status: str | None = None
    payment_status: str | None = None
    payment_intent: StripeId | None = None

    @property
    def fact(self) -> Fact:
        """What it says of itself; `waiting` stands for whatever may still be paid."""
        if self.payment_status == "paid":
            return "paid"
        return "expired" if self.status == "expired" else "waiting"


class StripeIntent(Told, frozen=True, kw_only=True):
    """A PaymentIntent: it may tell of the money before its Checkout Session does."""

    amount_received: int | None = None
    status: str | None = None


class StripeCharge(Told, frozen=True, kw_only=True):
    """A Charge; `amount_refunded` adds up all its refunds, `refunded` says that nothing is left."""

    payment_intent: StripeId | None = None
    amount: int | None = None
    amount_refunded: int = 0
    refunded: bool = False


class StripeDispute(Told, frozen=True, kw_only=True):
    """A Dispute carries no metadata of ours: its payment alone says whose it is."""

    payment_intent: StripeId | None = None
    amount: int = 0
    status: str = ""

    @property
    def outcome(self) -> DisputeStatus | None:
        """None for an inquiry (`warning_…`) and for what Stripe prevented: no money has moved."""
        if self.status in ("won", "lost"):
            return "won" if self.status == "won" else "lost"
        return None if self.status.startswith("warning_") or self.status == "prevented" else "open"


class Checkout(msgspec.Struct, frozen=True):
    """Our row of an attempt to pay. What Stripe gives is None until Stripe has answered or told."""

    attempt_id: str
    user_id: str
    kind: Kind
    amount_cents: int
    currency: str
    session_id: str | None
    checkout_url: str | None
    payment_intent: str | None
    state: State

    def differences(self, told: StripeSession) -> list[str]:
        """The names of what is not as we created it; empty when all is well."""
        pairs = {
            "session": (told.id, self.session_id or told.id),
            "client_reference_id": (told.client_reference_id, self.user_id),
            "mode": (told.mode, "payment"),
        }
        return _unlike(pairs | self._pairs(told, told.amount_total, told.payment_intent))

    def differences_of_payment(self, told: StripeIntent) -> list[str]:
        return _unlike(self._pairs(told, told.amount_received, told.id))

    def differences_of_charge(self, told: StripeCharge) -> list[str]:
        return _unlike(self._pairs(told, told.amount, told.payment_intent))

    def is_of_mode(self, livemode: bool | None) -> bool:
        return livemode == (self.kind == "live")

    def _pairs(self, told: Told, amount: int | None, payment_intent: str | None) -> Pairs:
        metadata = told.metadata or {}
        known = self.payment_intent or payment_intent
        return {
            "amount": (amount, self.amount_cents),
            "currency": (told.currency, self.currency),
            "metadata.user_id": (metadata.get("user_id"), self.user_id),
            "metadata.attempt_id": (metadata.get("attempt_id"), self.attempt_id),
            "livemode": (told.livemode, self.kind == "live"),
            "payment_intent": (payment_intent or known, known),
        }


def _unlike(pairs: Pairs) -> list[str]:
    return [name for name, (said, created) in pairs.items() if said != created]
