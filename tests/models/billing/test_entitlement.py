"""What a payment is worth. See also test_reversals.py and test_payment_histories.py."""

from __future__ import annotations

import pytest

from models.billing.entitlement import CheckoutValue


@pytest.mark.parametrize(
    ("refunded", "lost", "why"),
    [(False, False, None), (True, False, "refunded"), (False, True, "disputed"), (True, True, "refunded")],
)
def test_the_reason_why_a_payment_no_longer_grants_access(refunded, lost, why) -> None:
    assert CheckoutValue(is_paid=True, is_refunded=refunded, is_lost=lost, is_of_nobody=False).lost_by == why


async def test_an_unpaid_checkout_is_worth_nothing(models, person) -> None:
    anna = await person("Anna", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    checkout = await models.refunds.find(offered.session_id)
    async with models.db.transaction() as on:
        entitlement = models.entitlement
        assert await entitlement.work_out(checkout.attempt_id, anna.user_id, on=on) is None
    assert await models.grants.of(anna.user_id) == "unpaid"
