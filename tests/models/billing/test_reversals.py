"""Refunds and disputes, in any order and any number of times."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest

from models.errors import Conflict
from tests.support.billing.payers import paid
from tests.support.billing.rows import alerts, standing
from tests.support.billing.stripe_events import event, object_event, receive
from tests.support.factories import older


async def test_a_full_refund_ends_access_and_stops_the_code(models, stripe, anna, person) -> None:
    session_id = await paid(models, stripe, anna)
    own = await models.invite_codes.find_own(anna.user_id)
    ben, carla = await person("Ben", access=None), await person("Carla", access=None)
    await models.invite_codes.redeem(own.code, ben.user_id)
    assert await receive(models, object_event("charge.refunded", stripe.give_back(session_id))) == "applied"
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await models.invite_codes.find_own(anna.user_id)).stopped
    assert await models.grants.of(ben.user_id) == "invited"
    with pytest.raises(Conflict):
        await models.invite_codes.redeem(own.code, carla.user_id)


async def test_a_refund_counts_once(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    charge = stripe.give_back(session_id)
    told = [receive(models, object_event("charge.refunded", charge)) for _ in range(10)]
    assert sorted(await asyncio.gather(*told)) == ["applied"] + ["ignored"] * 9
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_a_partial_refund_ends_nothing_and_is_stored(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    first, second = stripe.give_back(session_id, 10), stripe.give_back(session_id, 15)
    for charge in (second, first):
        await receive(models, object_event("charge.refunded", charge))
    assert await models.grants.of(anna.user_id) == "paid"
    assert not (await models.invite_codes.find_own(anna.user_id)).stopped
    assert (await standing(models)).refunded_cents == 25


async def test_refunding_the_rest_later_ends_access(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    part, whole = stripe.give_back(session_id, 10), stripe.give_back(session_id)
    for charge in (whole, part):
        await receive(models, object_event("charge.refunded", charge))
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await standing(models)).refunded_cents == 50


async def test_a_dispute_ends_access_only_when_it_is_lost(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    await receive(models, object_event("charge.dispute.created", stripe.dispute(session_id)))
    assert await models.grants.of(anna.user_id) == "paid"
    await receive(models, object_event("charge.dispute.closed", stripe.dispute(session_id, "lost")))
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await models.invite_codes.find_own(anna.user_id)).stopped


async def test_a_dispute_that_is_won_later_restores_access(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    code = (await models.invite_codes.find_own(anna.user_id)).code
    lost, won = (stripe.dispute(session_id, status) for status in ("lost", "won"))
    await receive(models, object_event("charge.dispute.closed", won, at=2000))
    await receive(models, object_event("charge.dispute.closed", lost, at=1000))
    assert await models.grants.of(anna.user_id) == "paid"
    await receive(models, object_event("charge.dispute.closed", lost, at=3000))
    assert await models.grants.of(anna.user_id) == "unpaid"
    await receive(models, object_event("charge.dispute.closed", won, at=4000))
    assert await models.grants.of(anna.user_id) == "paid"
    assert await models.invite_codes.find_own(anna.user_id) == await alive(models, code, anna)


async def alive(models, code, anna):
    own = await models.invite_codes.find_own(anna.user_id)
    assert (own.code, own.stopped) == (code, False)
    return own


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented"])
async def test_an_inquiry_is_not_a_dispute(models, stripe, anna, status) -> None:
    session_id = await paid(models, stripe, anna)
    told = object_event("charge.dispute.closed", stripe.dispute(session_id, status))
    assert await receive(models, told) == "ignored"
    assert await models.grants.of(anna.user_id) == "paid"


async def test_events_in_any_order_have_the_same_result(models, stripe, person) -> None:
    ends = set()
    for number, order in enumerate(itertools.permutations(range(4))):
        guest = await person(f"Guest {number}", access=None, selfie=False)
        offered = await models.checkouts.create_checkout(guest.user_id)
        session = stripe.pay(offered.session_id)
        events = [
            event("completed", session),
            object_event("payment_intent.succeeded", stripe.intent(offered.session_id)),
            object_event("charge.dispute.closed", stripe.dispute(offered.session_id, "lost"), at=1000),
            object_event("charge.refunded", stripe.give_back(offered.session_id)),
        ]
        for at in order:
            await receive(models, events[at])
        own = await models.invite_codes.find_own(guest.user_id)
        ends.add((await models.grants.of(guest.user_id), own is None or own.stopped))
    assert ends == {("unpaid", True)}


async def test_concurrent_events_have_the_same_result(models, stripe, person) -> None:
    for number in range(8):
        guest = await person(f"Guest {number}", access=None, selfie=False)
        offered = await models.checkouts.create_checkout(guest.user_id)
        session = stripe.pay(offered.session_id)
        told = (
            event("completed", session),
            object_event("payment_intent.succeeded", stripe.intent(offered.session_id)),
            object_event("charge.dispute.closed", stripe.dispute(offered.session_id, "lost")),
        )
        await asyncio.gather(*(receive(models, payload) for payload in told))
        assert await models.grants.of(guest.user_id) == "unpaid"


async def test_refunding_one_of_two_payments_keeps_access(models, stripe, anna) -> None:
    first = await models.checkouts.create_checkout(anna.user_id)
    await receive(models, event("expired", stripe.expire(first.session_id)))
    second = await models.checkouts.create_checkout(anna.user_id)
    for offered in (first, second):
        await receive(models, event("completed", stripe.pay(offered.session_id)))
    await receive(models, object_event("charge.refunded", stripe.give_back(first.session_id)))
    assert await models.grants.of(anna.user_id) == "paid"
    assert not (await models.invite_codes.find_own(anna.user_id)).stopped
    await receive(models, object_event("charge.refunded", stripe.give_back(second.session_id)))
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await models.invite_codes.find_own(anna.user_id)).stopped


async def test_after_a_refund_a_new_payment_restores_the_code(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    code = (await models.invite_codes.find_own(anna.user_id)).code
    await receive(models, object_event("charge.refunded", stripe.give_back(session_id)))
    await paid(models, stripe, anna)
    await alive(models, code, anna)


@pytest.mark.parametrize("changes", [{"amount": 51}, {"currency": "eur"}, {"metadata": {}}])
async def test_a_refund_that_does_not_match_ends_nothing(models, stripe, anna, caplog, changes) -> None:
    session_id = await paid(models, stripe, anna)
    with caplog.at_level(logging.ERROR):
        assert (
            await receive(models, object_event("charge.refunded", stripe.give_back(session_id) | changes))
            == "ignored"
        )
    assert await models.grants.of(anna.user_id) == "paid"
    assert "not as we created it" in caplog.text


async def test_the_staff_are_alerted_of_disputes_inquiries_and_warnings(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    warning = stripe.warn(session_id)
    assert await receive(models, object_event("radar.early_fraud_warning.created", warning)) == "applied"
    assert await receive(models, object_event("radar.early_fraud_warning.created", warning)) == "ignored"
    await receive(
        models, object_event("charge.dispute.created", stripe.dispute(session_id, "warning_needs_response"))
    )
    await receive(models, object_event("charge.dispute.created", stripe.dispute(session_id)))
    await receive(models, object_event("charge.dispute.closed", stripe.dispute(session_id, "lost")))
    assert await alerts(models) == ["fraud", "dispute", "dispute"]
    (payment,) = await models.reconciliation.payments(1)
    assert payment.warning == "made_with_stolen_card"


async def test_the_staff_are_not_alerted_of_other_shops(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    foreign = {"payment_intent": "pi_shop"}
    for kind, about in (
        ("radar.early_fraud_warning.created", stripe.warn(session_id)),
        ("charge.dispute.created", stripe.dispute(session_id)),
    ):
        await receive(models, object_event(kind, about | foreign))
        assert await receive(models, object_event(kind, about | {"payment_intent": None})) == "ignored"
    assert await alerts(models) == []


async def test_what_alerts_are_about_is_listed_whatever_its_age(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    await older(models, "checkouts.created_at", days=100)
    assert await models.reconciliation.payments(30) == []
    await receive(models, object_event("charge.dispute.created", stripe.dispute(session_id)))
    assert len(await models.reconciliation.payments(30)) == 1


async def test_other_sites_on_the_same_account_are_ignored(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    charge = stripe.give_back(session_id) | {"payment_intent": "pi_shop", "metadata": {}}
    assert await receive(models, object_event("charge.refunded", charge)) == "ignored"
    dispute = stripe.dispute(session_id, "lost") | {"payment_intent": "pi_shop", "id": "du_shop"}
    await receive(models, object_event("charge.dispute.closed", dispute))
    assert await models.grants.of(anna.user_id) == "paid"
