"""What Stripe tells us: an event, and the object it is about, as far as we read it. Pure: no I/O, no clock.

Refuses with BadRequest what cannot be read. `EVENTS` are those that mean something here; docs/operations.md
lists them for whoever sets up the webhook.
"""

from __future__ import annotations

import msgspec

from models.errors import BadRequest
from models.stripe_objects import Fact, StripeCharge, StripeDispute, StripeId, StripeIntent, StripeSession

News = StripeSession | StripeIntent | StripeCharge | StripeDispute
EVENTS: dict[str, type[News]] = {
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
_news: dict[type[News], msgspec.json.Decoder[News]] = {
    kind: msgspec.json.Decoder(kind) for kind in EVENTS.values()
}


def read_event(payload: bytes) -> StripeEvent:
    """Raises BadRequest."""
    try:
        return _event.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The event cannot be read.") from error


def read_news(event: StripeEvent) -> News | None:
    """The object that an event is about; None when it is none of ours. Raises BadRequest."""
    kind = EVENTS.get(event.type)
    if kind is None:
        return None
    try:
        told = _news[kind].decode(event.data.object)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The event's object cannot be read.") from error
    # An event and its object that disagree fit no checkout.
    livemode = event.livemode if told.livemode in (None, event.livemode) else None
    return msgspec.structs.replace(told, livemode=livemode)


def fact_of(event: StripeEvent, session: StripeSession) -> Fact:
    """`completed` alone does not mean paid: some ways to pay take days."""
    if event.type == "checkout.session.async_payment_failed":
        return "failed"
    return session.fact
