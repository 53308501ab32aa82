"""The effects of an event about a checkout: one grant and one code, or nothing."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from models.billing.provider import stripe_api
from models.billing.provider.stripe_api import StripeUnavailable
from models.errors import NotFound
from tests.support.billing.rows import effects, rows
from tests.support.billing.stripe_events import event, object_event, receive


async def test_a_paid_checkout_gives_access_and_a_code_of_four(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    assert await receive(models, event("completed", stripe.pay(offered.session_id))) == "applied"
    assert await models.grants.of(anna.user_id) == "paid"
    assert (await models.invite_codes.find_own(anna.user_id)).uses_remaining == 4


async def test_twenty_events_with_the_same_content_have_one_effect(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    kinds = ("completed", "async_payment_succeeded")
    got = await asyncio.gather(*(receive(models, event(kinds[n % 2], session)) for n in range(20)))
    assert sorted(got) == ["applied"] + ["ignored"] * 19
    assert await rows(models) == {"grants": 1, "codes": 1, "checkouts": 1, "events": 20}


async def test_an_unpaid_checkout_stays_pending(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    assert await receive(models, event("completed", stripe.pay_later(offered.session_id))) == "applied"
    status = await models.checkouts.status(anna.user_id, offered.session_id)
    assert (status.access, status.is_processing) == ("pending", True)
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (
        await receive(models, event("async_payment_succeeded", stripe.pay(offered.session_id))) == "applied"
    )
    assert await models.grants.of(anna.user_id) == "paid"


@pytest.mark.parametrize("kind", ["async_payment_failed", "expired"])
async def test_a_failed_checkout_grants_nothing_and_can_be_retried(models, stripe, anna, kind) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.expire(offered.session_id) if kind == "expired" else stripe.pay_later(offered.session_id)
    assert await receive(models, event(kind, session)) == "applied"
    assert (await models.checkouts.status(anna.user_id, offered.session_id)).access == "unpaid"
    assert await models.checkouts.create_checkout(anna.user_id) != offered


async def test_a_late_failure_event_revokes_nothing(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    await receive(models, event("async_payment_succeeded", session))
    for kind, changes in (
        ("completed", {"payment_status": "unpaid"}),
        ("expired", {"status": "expired"}),
        ("async_payment_failed", {"payment_status": "unpaid"}),
    ):
        assert await receive(models, event(kind, session, **changes)) == "ignored"
    assert await models.grants.of(anna.user_id) == "paid"


async def test_an_event_may_arrive_before_the_response_of_the_api(models, stripe, anna) -> None:
    # Stripe creates the session, but no attempt receives the response.
    stripe.faults.extend(["lost"] * (1 + stripe_api.RETRIES))
    with pytest.raises(StripeUnavailable):
        await models.checkouts.create_checkout(anna.user_id)
    (session_id,) = stripe.sessions
    assert await receive(models, event("completed", stripe.pay(session_id))) == "applied"
    assert (await models.checkouts.status(anna.user_id, session_id)).access == "paid"


async def test_a_payment_of_an_old_checkout_counts(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    first = await models.checkouts.create_checkout(anna.user_id)
    models.clock.advance(hours=23, minutes=30)
    await models.checkouts.create_checkout(anna.user_id)
    assert await receive(models, event("completed", stripe.pay(first.session_id))) == "applied"
    assert await models.grants.of(anna.user_id) == "paid"


WRONG = {
    "person": {"client_reference_id": "5d9b9a0e-0000-4000-8000-000000000000"},
    "no person": {"client_reference_id": None},
    "session": {"id": "cs_test_another"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=list(WRONG))
async def test_a_checkout_that_differs_grants_nothing_and_is_logged(
    models, stripe, anna, caplog, changes
) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    with caplog.at_level(logging.ERROR):
        assert (
            await receive(models, event("completed", stripe.pay(offered.session_id), **changes)) == "ignored"
        )
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert await effects(models) == ["refused"]
    assert "nothing is granted" in caplog.text


async def test_metadata_of_another_user_grants_nothing(models, stripe, anna, person) -> None:
    ben = await person("Ben", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    metadata = session["metadata"] | {"user_id": ben.user_id}
    assert await receive(models, event("completed", session, metadata=metadata)) == "ignored"
    assert await models.grants.of(ben.user_id) == "unpaid"
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_other_sites_on_the_same_account_are_ignored(models, stripe, caplog) -> None:
    foreign = {"id": "cs_test_shop", "metadata": {}, "payment_status": "paid", "mode": "subscription"}
    with caplog.at_level(logging.ERROR):
        assert await receive(models, event("completed", foreign)) == "ignored"
    assert caplog.text == ""
    lost = foreign | {"metadata": {"attempt_id": "5d9b9a0e-0000-4000-8000-000000000000"}}
    with caplog.at_level(logging.ERROR):
        assert await receive(models, event("completed", lost)) == "ignored"
    assert "do not know" in caplog.text


async def test_the_event_of_a_payment_may_precede_that_of_its_session(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    intent = stripe.intent(offered.session_id)
    assert await receive(models, object_event("payment_intent.succeeded", intent)) == "applied"
    assert await models.grants.of(anna.user_id) == "paid"
    assert await receive(models, event("completed", session)) == "ignored"
    assert await rows(models) == {"grants": 1, "codes": 1, "checkouts": 1, "events": 2}


async def test_the_event_of_a_payment_may_arrive_before_its_session_is_known(models, stripe, anna) -> None:
    stripe.faults.extend(["lost"] * (1 + stripe_api.RETRIES))
    with pytest.raises(StripeUnavailable):
        await models.checkouts.create_checkout(anna.user_id)
    (session_id,) = stripe.sessions
    session = stripe.pay(session_id)
    assert (
        await receive(models, object_event("payment_intent.succeeded", stripe.intent(session_id)))
        == "applied"
    )
    with pytest.raises(NotFound):
        await models.checkouts.status(anna.user_id, session_id)
    await receive(models, event("completed", session))
    assert (await models.checkouts.status(anna.user_id, session_id)).access == "paid"


async def test_a_payment_without_our_metadata_grants_nothing(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    stripe.pay(offered.session_id)
    told = stripe.intent(offered.session_id) | {"metadata": {}}
    assert await receive(models, object_event("payment_intent.succeeded", told)) == "ignored"
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_a_payment_that_takes_days_does_not_keep_the_user_from_paying_otherwise(
    models, stripe, anna
) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    await receive(models, event("completed", stripe.pay_later(offered.session_id)))
    other = await models.checkouts.create_checkout(anna.user_id)
    assert other != offered
    assert await models.checkouts.create_checkout(anna.user_id) == other
