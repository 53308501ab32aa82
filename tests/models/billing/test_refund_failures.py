"""Refunds that fail: access comes back, and the payment can be refunded again."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from models.billing.provider.stripe_types import StripeRefund
from models.errors import Conflict
from tests.support.billing.payers import paid
from tests.support.billing.rows import alerts, standing
from tests.support.billing.stripe_events import event, object_event, receive


async def refund(models, session_id: str) -> None:
    await models.refunds.refund(await models.refunds.find(session_id))


async def test_a_failed_refund_restores_access_and_code(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    code = (await models.invite_codes.find_own(anna.user_id)).code
    await refund(models, session_id)
    assert await models.grants.of(anna.user_id) == "unpaid"
    failed = stripe.fail(stripe.refund_of(session_id)["id"])
    assert await receive(models, object_event("refund.failed", failed)) == "applied"
    assert await receive(models, object_event("refund.updated", failed)) == "ignored"
    assert await models.grants.of(anna.user_id) == "paid"
    own = await models.invite_codes.find_own(anna.user_id)
    assert (own.code, own.stopped) == (code, False)
    assert await alerts(models) == ["refund"]
    (payment,) = await models.reconciliation.payments(1)
    assert (payment.state, payment.refunded_cents, payment.has_failed_refund) == ("paid", 0, True)
    assert await models.reconciliation.differences(1) == []


async def test_a_second_refund_is_possible_and_made_once(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    await refund(models, session_id)
    await receive(models, object_event("refund.failed", stripe.fail(stripe.refund_of(session_id)["id"])))
    got = await asyncio.gather(*(refund(models, session_id) for _ in range(5)), return_exceptions=True)
    assert {type(problem) for problem in got if problem is not None} <= {Conflict}
    assert len({key for _, path, key in stripe.asked if path == "/v1/refunds"}) == 2
    assert len(stripe.refunds) == 2
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await standing(models)).refunded_cents == 50


async def test_a_refund_that_fails_at_once_changes_nothing(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    stripe.fails_refunds = True
    with pytest.raises(Conflict, match="did not take the refund"):
        await refund(models, session_id)
    assert await models.grants.of(anna.user_id) == "paid"
    stripe.fails_refunds = False
    await refund(models, session_id)
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_a_refund_in_the_dashboard_that_failed_before_it_was_known(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    stripe.give_back(session_id)
    await receive(models, object_event("refund.failed", stripe.fail(stripe.refund_of(session_id)["id"])))
    assert await models.grants.of(anna.user_id) == "paid"


async def test_a_sum_of_before_the_failure_arrives_after_it(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    charge = stripe.give_back(session_id)
    failed = stripe.fail(stripe.refund_of(session_id)["id"])
    await receive(models, object_event("refund.failed", failed, at=2000))
    await receive(models, object_event("charge.refunded", charge, at=1000))
    assert await models.grants.of(anna.user_id) == "paid"
    # A second refund, of which only the sum is reported.
    await receive(models, object_event("charge.refunded", stripe.give_back(session_id), at=3000))
    assert await models.grants.of(anna.user_id) == "unpaid"


@pytest.mark.parametrize("status", ["pending", "requires_action"])
async def test_a_refund_under_way_counts(models, stripe, anna, status) -> None:
    session_id = await paid(models, stripe, anna)
    stripe.give_back(session_id)
    told = stripe.refund_of(session_id) | {"status": status}
    await receive(models, object_event("refund.created", told))
    assert await models.grants.of(anna.user_id) == "unpaid"
    await receive(models, object_event("refund.updated", told | {"status": "canceled"}))
    assert await models.grants.of(anna.user_id) == "paid"


async def test_events_in_any_order_have_the_same_result(models, stripe, person) -> None:
    ends = set()
    for number, order in enumerate(itertools.permutations(range(5))):
        guest = await person(f"Guest {number}", access=None, selfie=False)
        offered = await models.checkouts.create_checkout(guest.user_id)
        session = stripe.pay(offered.session_id)
        charge = stripe.give_back(offered.session_id)
        made = stripe.refund_of(offered.session_id)
        events = [
            event("completed", session),
            object_event("refund.created", made, at=1000),
            object_event("charge.refunded", charge, at=1000),
            object_event("refund.updated", made, at=1001),
            object_event("refund.failed", stripe.fail(made["id"]), at=2000),
        ]
        for at in order:
            await receive(models, events[at])
        ends.add((await models.grants.of(guest.user_id), (await models.refunds.find(session["id"])).state))
    assert ends == {("paid", "paid")}


async def test_refunds_of_other_shops_are_ignored(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    stripe.give_back(session_id)
    foreign = stripe.refund_of(session_id) | {"payment_intent": "pi_shop", "status": "failed"}
    await receive(models, object_event("refund.failed", foreign))
    assert (
        await receive(models, object_event("refund.created", foreign | {"payment_intent": None})) == "ignored"
    )
    assert await alerts(models) == []
    assert await models.grants.of(anna.user_id) == "paid"


def test_failed_and_canceled_refunds_have_failed() -> None:
    has_failed = [
        one for one in ("succeeded", "failed", "canceled") if StripeRefund(id="re_1", status=one).has_failed
    ]
    assert has_failed == ["failed", "canceled"]
