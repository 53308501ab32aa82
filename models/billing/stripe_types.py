"""Stripe's objects and events, the record of a checkout, and their comparison. Pure: no I/O, no clock.

A payment counts only if amount, currency, user, mode and livemode are those of the created checkout. The
field names are Stripe's (docs.stripe.com/api: checkout/sessions, payment_intents, charges, disputes).
`EVENTS` are the event types that this site uses; docs/operations.md lists them. Raises: BadRequest for
unreadable events.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from models.errors import BadRequest

# The header of an event: its time and one signature for each active secret of the endpoint (v0: test mode).
SIGNED = re.compile(r"t=[0-9]{10}(,v[01]=[0-9a-f]{64}){1,8}")
StripeId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,255}\Z")]
CheckoutKind = Literal["live", "test", "page"]
# Several events can report the same fact.
PaymentFact = Literal["paid", "failed", "expired", "waiting"]
CheckoutState = Literal["open", "paid", "failed", "expired", "refunded"]
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


class StripeSession(StripeObject, frozen=True, kw_only=True):
    """A Checkout Session, from an event or a query."""

    url: str | None = None
    client_reference_id: str | None = None
    amount_total: int | None = None
    mode: str | None = None
    status: str | None = None
    payment_status: str | None = None
    payment_intent: StripeId | None = None

    @property
    def fact(self) -> PaymentFact:
        """The reported fact; `waiting` if it can still be paid."""
        if self.payment_status == "paid":
            return "paid"
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
        return _unlike(self._pairs(reported, reported.amount, reported.payment_intent))

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


# -- events --

EventObject = StripeSession | StripeIntent | StripeCharge | StripeDispute
EVENTS: dict[str, type[EventObject]] = {
    "checkout.session.completed": StripeSession,
    "checkout.session.async_payment_succeeded": StripeSession,
    "checkout.session.async_payment_failed": StripeSession,
    "checkout.session.expired": StripeSession,
    "payment_intent.succeeded": StripeIntent,
    "charge.refunded": StripeCharge,
    "charge.dispute.created": StripeDispute,
    "charge.dispute.closed": StripeDispute,
}


class EventData(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class StripeEvent(msgspec.Struct, frozen=True):
    """`created` is Stripe's clock, in seconds."""

    id: StripeId
    type: StripeId
    livemode: bool
    data: EventData
    created: int = 0


_event = msgspec.json.Decoder(StripeEvent)
_objects: dict[type[EventObject], msgspec.json.Decoder[EventObject]] = {
    kind: msgspec.json.Decoder(kind) for kind in EVENTS.values()
}


def read_event(payload: bytes) -> StripeEvent:
    """An event. Raises: BadRequest."""
    try:
        return _event.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The event cannot be read.") from error


def read_object(event: StripeEvent) -> EventObject | None:
    """The object of an event, or None for an event type that is not used. Raises: BadRequest."""
    kind = EVENTS.get(event.type)
    if kind is None:
        return None
    try:
        reported = _objects[kind].decode(event.data.object)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The event's object cannot be read.") from error
    # An event whose object has another livemode matches no checkout.
    livemode = event.livemode if reported.livemode in (None, event.livemode) else None
    return msgspec.structs.replace(reported, livemode=livemode)


def fact_of(event: StripeEvent, session: StripeSession) -> PaymentFact:
    """The reported fact. `completed` does not mean paid: some payment methods take days."""
    if event.type == "checkout.session.async_payment_failed":
        return "failed"
    return session.fact


class _Shape(msgspec.Struct, frozen=True):
    """What every event of Stripe has."""

    id: Annotated[str, msgspec.Meta(pattern=r"^evt_[0-9A-Za-z_]{8,255}\Z")]
    object: Literal["event"]
    created: int
    type: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_.]{1,100}\Z")]
    data: dict[str, msgspec.Raw]


_shape = msgspec.json.Decoder(_Shape)


def may_be_of_stripe(payload: bytes, signature: str) -> bool:
    """Whether payload and signature have the form of Stripe's, regardless of the key."""
    if not SIGNED.fullmatch(signature):
        return False
    try:
        _shape.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True
