"""Reconciliation: both sides are compared, and nothing is changed."""

from __future__ import annotations

import pytest

from models.billing.provider import stripe_api
from models.billing.provider.stripe_api import StripeUnavailable
from models.billing.reconciliation import of_ours
from models.errors import Conflict
from models.settings.config import Config
from models.wiring import Models
from tests.support.billing.payers import paid
from tests.support.billing.rows import rows
from tests.support.billing.stripe_events import event, object_event, receive


async def found(models) -> list[tuple[str, str, str]]:
    return [(one.what, one.here, one.there) for one in await models.reconciliation.differences(7)]


async def test_without_lost_events_there_are_no_differences(models, stripe, anna, person) -> None:
    session_id = await paid(models, stripe, anna)
    await models.checkouts.create_checkout((await person("Ben", access=None)).user_id)
    for told in (
        object_event("charge.refunded", stripe.give_back(session_id, 10)),
        object_event("charge.dispute.created", stripe.dispute(session_id)),
    ):
        await receive(models, told)
    assert await found(models) == []


async def test_lost_events_are_found_and_nothing_is_changed(models, stripe, anna, person) -> None:
    ben, carla = await person("Ben", access=None), await person("Carla", access=None)
    silent = await models.checkouts.create_checkout(anna.user_id)
    stripe.pay(silent.session_id)
    refunded, lost = await paid(models, stripe, ben), await paid(models, stripe, carla)
    stripe.give_back(refunded)
    stripe.dispute(lost, "lost")
    before = await rows(models)
    assert sorted(await found(models)) == [
        ("dispute", "none", "lost"),
        ("payment", "open", "paid"),
        ("refunded", "0", "50"),
    ]
    assert await rows(models) == before
    for told in (
        event("completed", stripe.sessions[silent.session_id]),
        object_event("charge.refunded", next(c for c in stripe.charges.values() if c["refunded"])),
        object_event("charge.dispute.closed", next(iter(stripe.disputes.values()))),
    ):
        await receive(models, told)
    assert await found(models) == []


async def test_payments_that_one_side_does_not_know(models, stripe, anna, person) -> None:
    here = await models.checkouts.create_checkout(anna.user_id)
    there = await models.checkouts.create_checkout((await person("Ben", access=None)).user_id)
    async with models.db.link() as link:
        await link.execute("delete from checkouts where session_id = %s", (there.session_id,))
    del stripe.sessions[here.session_id]
    assert sorted(await found(models)) == [
        ("checkout", "open", "unknown"),
        ("checkout", "unknown", "waiting"),
    ]


async def test_users_who_paid_and_have_no_access(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    attempt = (await models.refunds.find(session_id)).attempt_id
    await models.grants.take_away("payment", attempt, "by mistake")
    assert await found(models) == [("access", "not in", "in")]


async def test_declined_cards_are_no_difference(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    stripe.decline(offered.session_id)
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    await receive(models, object_event("charge.refunded", stripe.give_back(offered.session_id, 10)))
    assert await found(models) == []


async def test_test_payments_that_grant_access_on_a_live_site(models, stripe, anna, servers) -> None:
    await paid(models, stripe, anna)
    assert await found(models) == []
    ours = await models.reconciliation.own_checkouts("live", 0)
    assert [(one.kind, one.is_worth_access, one.has_access) for one in ours] == [("test", False, True)]
    assert [one.what for one in of_ours(ours, set())] == ["access"]


async def test_every_page_of_a_list_is_read(models, stripe, person, monkeypatch) -> None:
    monkeypatch.setattr(stripe_api, "PAGE", 2)
    for number in range(5):
        guest = await person(f"Guest {number}", access=None, selfie=False)
        offered = await models.checkouts.create_checkout(guest.user_id)
        stripe.pay(offered.session_id)
    assert await found(models) == [("payment", "open", "paid")] * 5
    assert len([path for _, path, _ in stripe.asked if path == "/v1/charges"]) == 3


async def test_other_sites_on_the_same_account_are_ignored(models, stripe) -> None:
    stripe.sessions["cs_test_shop"] = {"id": "cs_test_shop", "metadata": {}, "created": 9_999_999_999}
    assert await found(models) == []


async def test_reconciliation_with_stripe_down_and_without_stripe(models, stripe, servers) -> None:
    stripe.faults.append("429")
    with pytest.raises(StripeUnavailable):
        await found(models)
    site = await Models.open(Config(), servers.database_url, servers.redis_url)
    with pytest.raises(Conflict):
        await site.reconciliation.differences(7)
    await site.close()
