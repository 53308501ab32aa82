"""Payments that arrive after their user was deleted: they grant nothing and are refunded once."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from models.billing.provider.stripe_api import StripeApi
from models.billing.reconciliation import Reconciliation
from models.settings.config import Config
from models.wiring import Models
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.payers import paid
from tests.support.billing.rows import rows, standing
from tests.support.billing.stripe_events import event, object_event, receive
from tests.support.factories import older


async def gone(models: Models, anna) -> str:
    """Anna opens a checkout and deletes her account; returns the session id."""
    offered = await models.checkouts.create_checkout(anna.user_id)
    await models.deletions.delete(anna.user_id)
    return offered.session_id


def asked_back(stripe: StripeStandIn) -> int:
    return sum(path == "/v1/refunds" for _, path, _ in stripe.asked)


async def is_left_alone(models: Models) -> bool:
    """Whether there is neither a grant nor a code."""
    counts = await rows(models)
    return (counts["grants"], counts["codes"]) == (0, 0)


async def test_a_late_payment_grants_nothing_and_is_refunded_once(models, stripe, anna) -> None:
    session = stripe.pay(await gone(models, anna))
    told = [
        event("completed", session),
        object_event("payment_intent.succeeded", stripe.intent(session["id"])),
    ]
    await asyncio.gather(*(receive(models, one) for one in told * 3))
    assert await is_left_alone(models)
    await asyncio.gather(*(models.checkouts.sweep() for _ in range(3)))
    assert (await standing(models)).is_full
    assert asked_back(stripe) == 1
    await receive(models, object_event("charge.refunded", stripe.charges[session["payment_intent"]]))
    await receive(models, event("completed", session))
    await models.checkouts.sweep()
    assert asked_back(stripe) == 1
    assert await is_left_alone(models)


async def test_a_payment_without_an_event_is_found_and_refunded(models, stripe, anna) -> None:
    stripe.pay(await gone(models, anna))
    await older(models, "checkouts.created_at", minutes=2)
    assert await models.checkouts.sweep() == 1
    assert await is_left_alone(models)
    assert (await standing(models)).is_full


async def test_a_payment_before_the_deletion_is_not_refunded(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    await models.deletions.delete(anna.user_id)
    for status in ("lost", "won"):
        await receive(models, object_event("charge.dispute.closed", stripe.dispute(session_id, status)))
    await models.checkouts.sweep()
    assert asked_back(stripe) == 0
    assert (await rows(models))["grants"] == 0


async def test_stripe_is_asked_again_later_and_what_a_bank_decides_waits(
    models, stripe, anna, caplog
) -> None:
    session = stripe.pay(await gone(models, anna))
    await receive(models, event("completed", session))
    stripe.faults.append("400")
    with caplog.at_level(logging.ERROR):
        await models.checkouts.sweep()
    assert "could not be refunded" in caplog.text
    (shown,) = await models.reconciliation.payments(1)
    assert (shown.is_owed, shown.is_of_nobody) == (True, True)
    await models.checkouts.sweep()
    assert asked_back(stripe) == 1
    await older(models, "checkouts.asked_at", minutes=2)
    dispute = stripe.dispute(session["id"])
    await receive(models, object_event("charge.dispute.created", dispute))
    await models.checkouts.sweep()
    assert asked_back(stripe) == 1
    await receive(models, object_event("charge.dispute.closed", stripe.dispute(session["id"], "won")))
    await models.checkouts.sweep()
    assert asked_back(stripe) == 2
    assert (await standing(models)).is_full
    assert not (await models.reconciliation.payments(1))[0].is_owed


async def test_the_payment_of_a_deleted_user_is_not_a_difference(models, stripe, anna) -> None:
    await paid(models, stripe, anna)
    await models.deletions.delete(anna.user_id)
    stripe_api = StripeApi(models.config)
    assert await Reconciliation(models.db, models.clock, stripe_api).differences(7) == []
    await stripe_api.close()


async def test_the_test_checkout_refunds_too(servers, tmp_path: Path) -> None:
    site = await Models.open(Config(data_dir=tmp_path), servers.database_url, servers.redis_url)
    signed = await site.sign_up.guest("Bo", "male", adult=True, invite_code=None, address="::1")
    user_id = signed.member.user_id
    offered = await site.checkouts.create_checkout(user_id)
    await site.deletions.delete(user_id)
    await site.checkouts.play(user_id, offered.session_id, is_paid=True)
    assert await is_left_alone(site)
    await site.checkouts.sweep()
    assert (await standing(site)).is_full
    await site.close()
