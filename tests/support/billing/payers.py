"""Users who pay at the fake Stripe."""

from __future__ import annotations

from typing import Any

from models.wiring import Models
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.stripe_events import event, receive


async def paid(models: Models, stripe: StripeStandIn, person: Any) -> str:
    """Pays by card, with the event; returns the session's id."""
    offered = await models.checkouts.create_checkout(person.user_id)
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    assert await models.grants.of(person.user_id) == "paid"
    return offered.session_id


async def paid_twice(models: Models, stripe: StripeStandIn, person: Any) -> list[str]:
    """Two checkouts, one of them given up, and both paid after all."""
    first = await models.checkouts.create_checkout(person.user_id)
    await receive(models, event("expired", stripe.expire(first.session_id)))
    second = await models.checkouts.create_checkout(person.user_id)
    for offered in (first, second):
        await receive(models, event("completed", stripe.pay(offered.session_id)))
    return [first.session_id, second.session_id]
