"""Stripe's objects and events, the record of a checkout, and their comparison. Pure: no I/O, no clock.

A payment counts only if amount, currency, user, mode and livemode are those of the created checkout; another
amount, currency or mode is reviewed by an admin. The field names are Stripe's (docs.stripe.com/api:
checkout/sessions, payment_intents, charges, refunds, disputes, radar/early_fraud_warnings). Events are in
`models.billing.provider.stripe_events`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

StripeId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,255}\Z")]
CheckoutKind = Literal["live", "test", "page"]
# Several events can report the same fact.
PaymentFact = Literal["paid", "failed", "expired", "waiting", "processing"]
CheckoutState = Literal["open", "paid", "failed", "expired", "refunded", "review"]
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
# With one of these differences it is still our payment: an admin looks at it.
REVIEWED = frozenset({"amount", "currency", "mode"})
DisputeStatus = Literal["open", "won", "lost"]
Metadata = dict[str, str]
# Name -> (reported value, created value).
Pairs = dict[str, tuple[object, object]]


class StripeObject(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that all objects have."""

    id: StripeId
    metadata: Metadata | None = None
    currency: str | None = None
    livemode: bool | None = None

    @property
    def attempt_id(self) -> str:
        """The attempt id from the metadata; empty for an object of another shop."""
        return (self.metadata or {}).get("attempt_id", "")


class CustomerDetails(msgspec.Struct, frozen=True):
    email: str | None = None


class TotalDetails(msgspec.Struct, frozen=True):
    """`amount_tax` is the tax that the total includes."""

    amount_tax: int | None = None


class StripeSession(StripeObject, frozen=True, kw_only=True):
    """A Checkout Session, from an event or a query."""

    url: str | None = None
    client_reference_id: str | None = None
    amount_total: int | None = None
    mode: str | None = None
    status: str | None = None
    payment_status: str | None = None
    payment_intent: StripeId | None = None
    customer_details: CustomerDetails | None = None
    total_details: TotalDetails | None = None

    @property
    def fact(self) -> PaymentFact:
        """The reported fact; `waiting` if it can still be paid, `processing` if the money takes days."""
        if self.payment_status == "paid":
            return "paid"
        if self.status == "complete" and self.payment_status == "unpaid":
            return "processing"
        return "expired" if self.status == "expired" else "waiting"


class StripeIntent(StripeObject, frozen=True, kw_only=True):
    """A PaymentIntent. It can report the payment before its Checkout Session does."""

    amount_received: int | None = None
    status: str | None = None


class StripeCharge(StripeObject, frozen=True, kw_only=True):
    """A Charge. `amount_refunded` is the sum of its refunds; `refunded` means a full refund."""

    payment_intent: StripeId | None = None
    amount: int | None = None
    amount_refunded: int = 0
    refunded: bool = False
    status: str | None = None


class StripeRefund(StripeObject, frozen=True, kw_only=True):
    """A Refund. Its status may change from `succeeded` to `failed`, days later."""

    payment_intent: StripeId | None = None
    amount: int = 0
    status: RefundStatus = "pending"

    @property
    def has_failed(self) -> bool:
        return self.status in ("failed", "canceled")


class StripeDispute(StripeObject, frozen=True, kw_only=True):
    """A Dispute. It carries no metadata of ours; only its payment identifies the user."""

    payment_intent: StripeId | None = None
    amount: int = 0
    status: str = ""

    @property
    def outcome(self) -> DisputeStatus | None:
        """The outcome; None for an inquiry (`warning_…`) or a prevented dispute, where no money moved."""
        if self.status in ("won", "lost"):
            return "won" if self.status == "won" else "lost"
        return None if self.status.startswith("warning_") or self.status == "prevented" else "open"


class StripeFraudWarning(StripeObject, frozen=True, kw_only=True):
    """An Early Fraud Warning: the card's issuer expects a dispute. It carries no metadata of ours."""

    payment_intent: StripeId | None = None
    fraud_type: str = ""


class StripeEndpoint(StripeObject, frozen=True, kw_only=True):
    """A webhook endpoint. `enabled_events` may be `*`."""

    url: str = ""
    status: str = ""
    enabled_events: list[str] = []


class Checkout(msgspec.Struct, frozen=True):
    """Our row of an attempt to pay. What Stripe gives is None until Stripe has answered or reported."""

    attempt_id: str
    user_id: str
    kind: CheckoutKind
    amount_cents: int
    currency: str
    session_id: str | None
    checkout_url: str | None
    payment_intent: str | None
    state: CheckoutState
    # What was paid, where that differs from what was created.
    paid_cents: int | None = None
    paid_currency: str | None = None

    def differences(self, reported: StripeSession) -> list[str]:
        """The names of the fields that differ from the created checkout; empty if all match."""
        pairs = {
            "session": (reported.id, self.session_id or reported.id),
            "client_reference_id": (reported.client_reference_id, self.user_id),
            "mode": (reported.mode, "payment"),
        }
        return _unlike(pairs | self._pairs(reported, reported.amount_total, reported.payment_intent))

    def differences_of_payment(self, reported: StripeIntent) -> list[str]:
        return _unlike(self._pairs(reported, reported.amount_received, reported.id))

    def differences_of_charge(self, reported: StripeCharge) -> list[str]:
        """Compares with what was paid; before that is known, with nothing."""
        paid = {
            "amount": (reported.amount, self.paid_cents or self.amount_cents),
            "currency": (reported.currency, self.paid_currency or self.currency),
        }
        pairs = self._pairs(reported, reported.amount, reported.payment_intent) | paid
        names = _unlike(pairs)
        is_settled = self.state in ("paid", "refunded", "review")
        return names if is_settled else [name for name in names if name not in REVIEWED]

    def is_of_mode(self, livemode: bool | None) -> bool:
        return livemode == (self.kind == "live")

    def _pairs(self, reported: StripeObject, amount: int | None, payment_intent: str | None) -> Pairs:
        metadata = reported.metadata or {}
        known = self.payment_intent or payment_intent
        return {
            "amount": (amount, self.amount_cents),
            "currency": (reported.currency, self.currency),
            "metadata.user_id": (metadata.get("user_id"), self.user_id),
            "metadata.attempt_id": (metadata.get("attempt_id"), self.attempt_id),
            "livemode": (reported.livemode, self.kind == "live"),
            "payment_intent": (payment_intent or known, known),
        }


def _unlike(pairs: Pairs) -> list[str]:
    return [name for name, (said, created) in pairs.items() if said != created]
