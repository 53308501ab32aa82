"""What Stripe tells us, as far as we read it, and whether it is what we created. Pure: no I/O, no clock.

Promises that a checkout counts as paid only when its amount, currency, person, mode and livemode are as we
created it. The field names are Stripe's own (docs.stripe.com/api/checkout/sessions, /api/events).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from models.errors import BadRequest

StripeId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,255}\Z")]
Kind = Literal["live", "test", "page"]
# Several events may tell the same one.
Fact = Literal["paid", "failed", "expired", "waiting"]
State = Literal["open", "paid", "failed", "expired", "refunded"]


class StripeSession(msgspec.Struct, frozen=True):
    """A Checkout Session, in an event or asked for."""

    id: StripeId
    url: str | None = None
    client_reference_id: str | None = None
    metadata: dict[str, str] | None = None
    amount_total: int | None = None
    currency: str | None = None
    mode: str | None = None
    livemode: bool | None = None
    status: str | None = None
    payment_status: str | None = None
    payment_intent: str | None = None

    @property
    def attempt_id(self) -> str:
        """What we wrote into its metadata; empty when it is not ours."""
        return (self.metadata or {}).get("attempt_id", "")

    @property
    def fact(self) -> Fact:
        """What it says of itself; `waiting` stands for whatever may still be paid."""
        if self.payment_status == "paid":
            return "paid"
        return "expired" if self.status == "expired" else "waiting"


SESSION_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)


class EventData(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class StripeEvent(msgspec.Struct, frozen=True):
    id: StripeId
    type: StripeId
    livemode: bool
    data: EventData


class Checkout(msgspec.Struct, frozen=True):
    """Our row of an attempt to pay. `session_id` and `checkout_url` are None until Stripe has answered."""

    attempt_id: str
    user_id: str
    kind: Kind
    amount_cents: int
    currency: str
    session_id: str | None
    checkout_url: str | None
    state: State

    def differences(self, told: StripeSession) -> list[str]:
        """The names of what is not as we created it; empty when all is well."""
        metadata = told.metadata or {}
        pairs = {
            "session": (told.id, self.session_id or told.id),
            "amount": (told.amount_total, self.amount_cents),
            "currency": (told.currency, self.currency),
            "client_reference_id": (told.client_reference_id, self.user_id),
            "metadata.user_id": (metadata.get("user_id"), self.user_id),
            "metadata.attempt_id": (metadata.get("attempt_id"), self.attempt_id),
            "mode": (told.mode, "payment"),
            "livemode": (told.livemode, self.kind == "live"),
        }
        return [name for name, (said, created) in pairs.items() if said != created]


_event = msgspec.json.Decoder(StripeEvent)
_session = msgspec.json.Decoder(StripeSession)


def read_event(payload: bytes) -> StripeEvent:
    """Raises BadRequest."""
    try:
        return _event.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The event cannot be read.") from error


def read_session(event: StripeEvent) -> StripeSession:
    """The Checkout Session that an event is about. Raises BadRequest."""
    try:
        session = _session.decode(event.data.object)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest("The event's checkout session cannot be read.") from error
    # An event and its object that disagree fit no checkout.
    livemode = event.livemode if session.livemode in (None, event.livemode) else None
    return msgspec.structs.replace(session, livemode=livemode)


def fact_of(event: StripeEvent, session: StripeSession) -> Fact:
    """`completed` alone does not mean paid: some ways to pay take days."""
    if event.type == "checkout.session.async_payment_failed":
        return "failed"
    return session.fact
