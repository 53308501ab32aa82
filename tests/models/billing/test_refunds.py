"""Refunds: once at Stripe, and applied here at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from models.billing.provider.stripe_api import StripeUnavailable
from models.errors import Conflict, NotFound
from models.settings.config import Config
from models.wiring import Models
from tests.support.billing.payers import paid
from tests.support.billing.rows import standing
from tests.support.billing.stripe_events import object_event, receive


async def refund(models, reference: str) -> None:
    await models.refunds.refund(await models.refunds.find(reference))


async def test_a_refund_goes_through_stripe_and_is_settled_at_once(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    await refund(models, session_id)
    (charge,) = stripe.charges.values()
    assert charge["refunded"]
    assert await models.grants.of(anna.user_id) == "unpaid"
    await receive(models, object_event("charge.refunded", charge))
    assert await receive(models, object_event("refund.created", stripe.refund_of(session_id))) == "ignored"
    assert (await standing(models)).is_full


async def test_a_payment_is_found_by_any_of_its_ids(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    found = await models.refunds.find(session_id)
    for reference in (found.attempt_id, found.payment_intent):
        assert await models.refunds.find(reference) == found
    with pytest.raises(NotFound):
        await models.refunds.find("pi_nobody")


async def test_two_requests_refund_once(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    got = await asyncio.gather(*(refund(models, session_id) for _ in range(5)), return_exceptions=True)
    assert {type(problem) for problem in got if problem is not None} <= {Conflict}
    assert len({key for method, path, key in stripe.asked if path == "/v1/refunds"}) == 1
    with pytest.raises(Conflict):
        await refund(models, session_id)


async def test_with_stripe_down_nothing_is_refunded_and_a_retry_works(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    stripe.faults.append("429")
    with pytest.raises(StripeUnavailable):
        await refund(models, session_id)
    assert await models.grants.of(anna.user_id) == "paid"
    await refund(models, session_id)
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_a_refund_in_stripes_dashboard_whose_event_is_late(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    stripe.give_back(session_id)
    await refund(models, session_id)
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_an_unpaid_checkout_cannot_be_refunded(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    with pytest.raises(Conflict):
        await refund(models, offered.session_id)


async def test_a_payment_with_another_key_is_rejected(models, stripe, anna, servers) -> None:
    session_id = await paid(models, stripe, anna)
    live = replace(models.config, stripe_secret_key="sk_live_standin0123456789")
    other = await Models.open(live, servers.database_url, servers.redis_url)
    with pytest.raises(Conflict, match="another key"):
        await refund(other, session_id)
    await other.close()


async def test_a_payment_of_the_test_checkout_is_refunded_through_the_webhook(
    servers, person, models
) -> None:
    site = await Models.open(Config(), servers.database_url, servers.redis_url)
    anna = await person("Anna", access=None)
    offered = await site.checkouts.create_checkout(anna.user_id)
    await site.checkouts.play(anna.user_id, offered.session_id, is_paid=True)
    assert await site.grants.of(anna.user_id) == "paid"
    await refund(site, offered.session_id)
    assert await site.grants.of(anna.user_id) == "unpaid"
    await site.close()
