"""What a payment is worth. See also test_reversals.py and test_payment_histories.py."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from models.billing.entitlement import CheckoutValue
from models.wiring import Models
from tests.support.billing.payers import paid

NOTHING = {
    "is_refunded": False,
    "is_lost": False,
    "is_withdrawn": False,
    "is_in_review": False,
    "is_owed": False,
    "is_of_nobody": False,
}


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        ("live", {}, None),
        ("live", {"is_refunded": True, "is_lost": True, "is_in_review": True}, "refunded"),
        ("live", {"is_lost": True}, "disputed"),
        ("live", {"is_in_review": True}, "review"),
        ("test", {}, "test"),
        ("page", {}, "test"),
    ],
)
def test_the_reason_why_a_payment_grants_no_access(kind, changes, why) -> None:
    worth = CheckoutValue(is_paid=True, kind=kind, **NOTHING | changes)
    assert worth.lost_by(is_live=True) == why
    assert worth.lost_by(is_live=False) == (None if why == "test" else why)


@pytest.mark.parametrize(
    "changes",
    [
        {"stripe_secret_key": "sk_live_standin0123456789"},
        {"stripe_secret_key": None, "stripe_webhook_secrets": (), "environment": "production"},
    ],
)
async def test_access_by_test_payments_ends_at_go_live(
    models, stripe, anna, person, servers, changes
) -> None:
    await paid(models, stripe, anna)
    ben, carla = await person("Ben", access=None), await person("Carla", access="comp")
    await models.invite_codes.redeem((await models.invite_codes.find_own(anna.user_id)).code, ben.user_id)
    await models.entitlement.end_tests()
    assert await models.grants.of(anna.user_id) == "paid", "the site is still a test"
    live = await Models.open(replace(models.config, **changes), servers.database_url, servers.redis_url)
    await asyncio.gather(*(live.entitlement.end_tests() for _ in range(3)))
    assert await live.grants.of(anna.user_id) == "unpaid"
    assert (await live.invite_codes.find_own(anna.user_id)).stopped
    assert [await live.grants.of(one.user_id) for one in (ben, carla)] == ["invited", "comped"]
    assert await live.receipts.lost_by(anna.user_id) == "test"
    await live.close()


async def test_access_by_live_payments_stays(models, stripe, anna, servers) -> None:
    await paid(models, stripe, anna)
    async with models.db.link() as link:
        await link.execute("update checkouts set kind = 'live'")
    live = replace(models.config, stripe_secret_key="sk_live_standin0123456789")
    site = await Models.open(live, servers.database_url, servers.redis_url)
    await site.entitlement.end_tests()
    assert await site.grants.of(anna.user_id) == "paid"
    await site.close()


async def test_an_unpaid_checkout_is_worth_nothing(models, person) -> None:
    anna = await person("Anna", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    checkout = await models.refunds.find(offered.session_id)
    async with models.db.transaction() as on:
        entitlement = models.entitlement
        assert await entitlement.work_out(checkout.attempt_id, anna.user_id, on=on) is None
    assert await models.grants.of(anna.user_id) == "unpaid"
