"""The webhook in the models: live and test mode. See also test_checkouts.py."""

from __future__ import annotations

import logging

from tests.support.billing.rows import effects
from tests.support.billing.stripe_events import event, object_event, receive


async def test_an_event_of_the_other_mode_does_nothing_and_is_logged(models, stripe, anna, caplog) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    with caplog.at_level(logging.ERROR):
        for payload in (
            event("completed", session, livemode=True),
            event("completed", session | {"livemode": True}, livemode=True),
            object_event("payment_intent.succeeded", stripe.intent(offered.session_id), livemode=True),
        ):
            assert await receive(models, payload) == "ignored"
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert "does not match the key" in caplog.text


async def test_readiness_warns_until_an_event_has_the_right_mode(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    assert (await models.health.checks())["stripe"] == "ok"
    await receive(models, event("completed", session, livemode=True))
    assert (await models.health.checks())["stripe"] == "livemode does not fit the key"
    await receive(models, event("completed", session))
    assert (await models.health.checks())["stripe"] == "ok"
    assert await effects(models) == ["wrong_livemode", "applied"]


async def test_an_object_of_the_other_mode_grants_nothing(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id) | {"livemode": True}
    assert await receive(models, event("completed", session)) == "ignored"
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert await effects(models) == ["refused"]
