"""Stripe's events: the types that this site uses, and how they are read. Pure: no I/O, no clock.

`EVENTS` are the event types; docs/operations.md lists them. Raises: BadRequest for unreadable events.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from models.billing.provider.stripe_types import (
    PaymentFact,
    StripeCharge,
    StripeDispute,
    StripeFraudWarning,
    StripeId,
    StripeIntent,
    StripeRefund,
    StripeSession,
)
from models.errors import BadRequest

# The header of an event: its time and one signature for each active secret of the endpoint (v0: test mode).
SIGNED = re.compile(r"t=[0-9]{10}(,v[01]=[0-9a-f]{64}){1,8}")
EventObject = StripeSession | StripeIntent | StripeCharge | StripeRefund | StripeDispute | StripeFraudWarning
EVENTS: dict[str, type[EventObject]] = {
    "checkout.session.completed": StripeSession,
    "checkout.session.async_payment_succeeded": StripeSession,
    "checkout.session.async_payment_failed": StripeSession,
    "checkout.session.expired": StripeSession,
    "payment_intent.succeeded": StripeIntent,
    "charge.refunded": StripeCharge,
    "refund.created": StripeRefund,
    "refund.updated": StripeRefund,
    "refund.failed": StripeRefund,
    "charge.dispute.created": StripeDispute,
    "charge.dispute.closed": StripeDispute,
    "radar.early_fraud_warning.created": StripeFraudWarning,
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
