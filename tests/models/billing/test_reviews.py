"""Payments that are not as they were created: stored, explained, refundable, and no access."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from models.access.grants import Grants
from models.billing.fulfillment import REVIEWED
from models.errors import Conflict
from tests.support.billing.payers import paid
from tests.support.billing.rows import alerts, effects, standing
from tests.support.billing.stripe_events import event, object_event, receive

WRONG = {
    "amount": {"amount_total": 49},
    "currency": {"currency": "eur"},
    "mode": {"mode": "subscription"},
}


@pytest.mark.parametrize(("name", "changes"), WRONG.items())
async def test_a_checkout_that_differs_is_reviewed(models, stripe, anna, name, changes) -> None:
    assert name in REVIEWED
    offered = await models.checkouts.create_checkout(anna.user_id)
    told = event("completed", stripe.pay(offered.session_id), **changes)
    assert await receive(models, told) == "review"
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert await effects(models) == ["review"]
    assert await alerts(models) == ["payment"]
    status = await models.checkouts.status(anna.user_id, offered.session_id)
    assert (status.access, status.lost_by) == ("review", "review")
    (payment,) = await models.reconciliation.payments(1)
    assert (payment.state, payment.review) == ("review", [name])
    (receipt,) = await models.receipts.of(anna.user_id)
    assert receipt.status == "review"


async def test_what_was_paid_is_shown_and_refunded(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    stripe.sessions[offered.session_id] |= {"amount_total": 49, "currency": "eur"}
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    (payment,) = await models.reconciliation.payments(1)
    assert payment.amount_text == "€0.49"
    await models.refunds.refund(await models.refunds.find(offered.session_id))
    assert (await standing(models)).is_full
    charge = next(iter(stripe.charges.values()))
    assert charge["refunded"]
    assert await receive(models, object_event("charge.refunded", charge)) == "applied"
    assert await models.reconciliation.differences(1) == []
    status = await models.checkouts.status(anna.user_id, offered.session_id)
    assert (status.access, status.lost_by) == ("unpaid", "refunded")
    with pytest.raises(Conflict):
        await models.refunds.refund(await models.refunds.find(offered.session_id))


async def test_a_payment_alone_may_report_the_difference(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    stripe.sessions[offered.session_id]["amount_total"] = 49
    session = stripe.pay(offered.session_id)
    assert (
        await receive(models, object_event("payment_intent.succeeded", stripe.intent(session["id"])))
        == "review"
    )
    assert await receive(models, event("completed", session)) == "ignored"
    assert await alerts(models) == ["payment"]


async def test_events_in_any_order_have_the_same_result(models, stripe, person) -> None:
    ends = set()
    for number, order in enumerate(itertools.permutations(range(3))):
        guest = await person(f"Guest {number}", access=None, selfie=False)
        offered = await models.checkouts.create_checkout(guest.user_id)
        stripe.sessions[offered.session_id]["amount_total"] = 49
        session = stripe.pay(offered.session_id)
        events = [
            event("completed", session),
            object_event("payment_intent.succeeded", stripe.intent(offered.session_id)),
            object_event("charge.refunded", stripe.give_back(offered.session_id)),
        ]
        for at in order:
            await receive(models, events[at])
        found = await models.refunds.find(offered.session_id)
        ends.add((found.state, found.paid_cents, await models.grants.of(guest.user_id)))
    assert ends == {("refunded", 49, "unpaid")}


async def test_reports_that_contradict_each_other_grant_nothing(models, stripe, anna) -> None:
    """Whichever comes first."""
    session_id = await paid(models, stripe, anna)
    intent = stripe.intent(session_id) | {"amount_received": 49}
    assert await receive(models, object_event("payment_intent.succeeded", intent)) == "review"
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await models.invite_codes.find_own(anna.user_id)).stopped
    await receive(models, event("completed", stripe.sessions[session_id]))
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_twenty_reports_are_one_review(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    told = [receive(models, event("completed", session, amount_total=49)) for _ in range(20)]
    assert sorted(await asyncio.gather(*told)) == ["ignored"] * 19 + ["review"]
    assert await alerts(models) == ["payment"]


async def test_a_user_who_has_access_otherwise_keeps_it(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    grants: Grants = models.grants
    await grants.grant(anna.user_id, "comp", "test")
    await receive(models, event("completed", stripe.pay(offered.session_id), amount_total=49))
    assert (await models.checkouts.status(anna.user_id, offered.session_id)).access == "comped"
