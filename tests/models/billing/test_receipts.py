"""Receipts: what was paid, what is extra, and who may refund it."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from models.billing.provider.stripe_api import StripeRefused, StripeUnavailable
from models.errors import Conflict, NotFound
from tests.conftest import Person
from tests.support.billing.payers import paid, paid_twice
from tests.support.billing.stripe_events import event, object_event, receive
from tests.support.people.guests import own_code
from tests.support.scenes import until


async def statuses(models, someone) -> list[str]:
    return [receipt.status for receipt in await models.receipts.of(someone.user_id)]


async def test_a_single_payment_is_on_the_receipt_and_not_extra(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    (receipt,) = await models.receipts.of(anna.user_id)
    assert (receipt.status, receipt.amount_text, receipt.is_extra) == ("paid", "$0.50", False)
    assert stripe.sessions[session_id]["payment_intent"].endswith(receipt.short_id[1:])
    with pytest.raises(Conflict):
        await models.receipts.refund_own(anna.user_id, receipt.payment_id)


async def test_unpaid_checkouts_are_on_no_receipt(models, stripe, anna, person) -> None:
    await models.checkouts.create_checkout(anna.user_id)
    assert await models.receipts.of(anna.user_id) == []
    ben = await person("Ben", access=None)
    await paid(models, stripe, ben)
    assert await models.receipts.of(anna.user_id) == []


async def test_a_user_who_paid_twice_can_refund_only_the_second(models, stripe, anna) -> None:
    await paid_twice(models, stripe, anna)
    assert await models.receipts.has_extra(anna.user_id)
    second, first = await models.receipts.of(anna.user_id)
    assert (second.is_refundable, first.is_refundable) == (True, False)
    await models.receipts.refund_own(anna.user_id, second.payment_id)
    assert await statuses(models, anna) == ["refunded", "paid"]
    assert await models.grants.of(anna.user_id) == "paid"
    assert not await models.receipts.has_extra(anna.user_id)
    for receipt in (first, second):
        with pytest.raises(Conflict):
            await models.receipts.refund_own(anna.user_id, receipt.payment_id)


async def test_a_user_with_a_code_who_also_paid_can_refund_it(models, stripe, anna, person) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    await models.invite_codes.redeem(await own_code(Of(models), await person("Zoe")), anna.user_id)
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    (receipt,) = await models.receipts.of(anna.user_id)
    assert (receipt.is_second, receipt.is_beside_code, receipt.is_refundable) == (False, True, True)
    await models.receipts.refund_own(anna.user_id, receipt.payment_id)
    assert await models.grants.of(anna.user_id) == "invited"


async def test_a_payment_whose_code_was_used_cannot_be_refunded(models, stripe, anna, person) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    await models.invite_codes.redeem(await own_code(Of(models), await person("Zoe")), anna.user_id)
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    own, ben = await models.invite_codes.find_own(anna.user_id), await person("Ben", access=None)
    await models.invite_codes.redeem(own.code, ben.user_id)
    (receipt,) = await models.receipts.of(anna.user_id)
    assert (receipt.is_extra, receipt.is_refundable) == (True, False)


async def paid_beside_a_code(models, stripe, person, name: str) -> tuple[Person, str, str]:
    """A user, the payment that they can take back, and their code."""
    anna = await person(name, access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    await models.invite_codes.redeem(await own_code(Of(models), await person("Zoe")), anna.user_id)
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    (receipt,) = await models.receipts.of(anna.user_id)
    return anna, receipt.payment_id, (await models.invite_codes.find_own(anna.user_id)).code


async def test_friends_join_or_the_extra_payment_returns_never_both(models, stripe, person) -> None:
    for number in range(6):
        anna, payment, code = await paid_beside_a_code(models, stripe, person, f"Anna {number}")
        ben = await person(f"Ben {number}", access=None, selfie=False)
        await asyncio.gather(
            models.receipts.refund_own(anna.user_id, payment),
            models.invite_codes.redeem(code, ben.user_id),
            return_exceptions=True,
        )
        both = *await statuses(models, anna), await models.grants.of(ben.user_id)
        assert both in {("paid", "invited"), ("refunded", "unpaid")}


async def test_a_refund_that_stripe_refuses_leaves_payment_and_code(models, stripe, person) -> None:
    anna, payment, code = await paid_beside_a_code(models, stripe, person, "Anna")
    stripe.faults.append("400")
    with pytest.raises(StripeRefused):
        await models.receipts.refund_own(anna.user_id, payment)
    assert (await models.invite_codes.check(code)).inviter_name == "Anna"
    await models.checkouts.sweep()
    assert await statuses(models, anna) == ["paid"]
    await models.receipts.refund_own(anna.user_id, payment)
    assert await statuses(models, anna) == ["refunded"]
    with pytest.raises(Conflict):
        await models.invite_codes.check(code)


async def test_a_refund_without_an_answer_is_repeated_and_the_code_stays_stopped(
    models, stripe, person
) -> None:
    """Stripe may have made it."""
    anna, payment, code = await paid_beside_a_code(models, stripe, person, "Anna")
    stripe.faults.append("429")
    with pytest.raises(StripeUnavailable, match="as soon as it does"):
        await models.receipts.refund_own(anna.user_id, payment)
    with pytest.raises(Conflict):
        await models.invite_codes.check(code)
    await models.checkouts.sweep()
    assert await statuses(models, anna) == ["refunded"]


async def test_after_a_crash_during_the_refund_the_sweep_makes_it(models, stripe, person) -> None:
    """The process ends after the code was stopped and before Stripe has answered."""
    anna, payment, code = await paid_beside_a_code(models, stripe, person, "Anna")
    stripe.faults.append("hang")
    asked = len(stripe.asked)
    crashed = asyncio.create_task(models.receipts.refund_own(anna.user_id, payment))
    await until(lambda: len(stripe.asked) > asked)
    crashed.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await crashed
    assert (await statuses(models, anna), stripe.refunds) == (["paid"], {})
    # What else is reported of the payment does not restart the code.
    (session,) = stripe.sessions.values()
    await receive(models, object_event("charge.dispute.created", stripe.dispute(session["id"])))
    await receive(models, object_event("charge.dispute.closed", stripe.dispute(session["id"], "won")))
    with pytest.raises(Conflict):
        await models.invite_codes.check(code)
    await models.checkouts.sweep()
    assert (await statuses(models, anna), len(stripe.refunds)) == (["refunded"], 1)


async def test_a_refund_that_fails_later_gives_the_code_back_and_is_not_repeated(
    models, stripe, person
) -> None:
    anna, payment, code = await paid_beside_a_code(models, stripe, person, "Anna")
    await models.receipts.refund_own(anna.user_id, payment)
    (refund_id,) = stripe.refunds
    await receive(models, object_event("refund.failed", stripe.fail(refund_id)))
    assert (await models.invite_codes.check(code)).inviter_name == "Anna"
    await models.checkouts.sweep()
    assert (await statuses(models, anna), len(stripe.refunds)) == (["paid"], 1)


async def test_a_user_cannot_refund_payments_of_others(models, stripe, anna, person) -> None:
    await paid_twice(models, stripe, anna)
    second = (await models.receipts.of(anna.user_id))[0]
    ben = await person("Ben")
    with pytest.raises(NotFound):
        await models.receipts.refund_own(ben.user_id, second.payment_id)


async def test_the_status_of_each_payment_and_why_access_was_lost(models, stripe, anna) -> None:
    session_id = await paid(models, stripe, anna)
    assert await models.receipts.lost_by(anna.user_id) is None
    steps = (
        ("charge.refunded", stripe.give_back(session_id, 20), "partly_refunded", None),
        ("charge.dispute.created", stripe.dispute(session_id), "disputed", None),
        ("charge.dispute.closed", stripe.dispute(session_id, "lost"), "lost", "disputed"),
        ("charge.refunded", stripe.give_back(session_id), "refunded", "refunded"),
    )
    for kind, about, status, why in steps:
        await receive(models, object_event(kind, about))
        assert await statuses(models, anna) == [status]
        assert await models.receipts.lost_by(anna.user_id) == why


class Of:
    """A site that consists of its models only."""

    def __init__(self, models) -> None:
        self.models = models
