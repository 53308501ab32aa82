"""Withdrawals: the words are recorded, the right ends with the first use, the money comes back once."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.billing.provider.stripe_api import StripeUnavailable
from models.billing.withdrawals import WORDS
from models.errors import Conflict, Invalid, NotFound
from models.ids import new_id
from models.settings.config import Config
from models.wiring import Models
from tests.support.billing.payers import paid_twice
from tests.support.billing.rows import alerts
from tests.support.billing.stripe_events import event, object_event, receive
from tests.support.factories import ended_call, older
from tests.support.scenes import rows


@pytest.fixture
def config(stripe, tmp_path: Path) -> Config:
    common = {"stun_urls": (), "guests_per_hour": 1_000_000, "data_dir": tmp_path, "bcrypt_cost": 4}
    return Config(consumer_law="eu", **common, **stripe.settings)


async def bought(models, stripe, someone) -> str:
    """Pays, and returns the payment's id."""
    offered = await models.checkouts.create_checkout(someone.user_id, start_now=True)
    await receive(models, event("completed", stripe.pay(offered.session_id)))
    return (await models.withdrawals.of(someone.user_id))[0].payment_id


async def test_the_request_and_the_information_are_recorded(models, stripe, anna) -> None:
    with pytest.raises(Invalid) as refused:
        await models.checkouts.create_checkout(anna.user_id)
    assert set(refused.value.fields or {}) == {"startNow"}
    assert await rows(models, "select count(*) from checkouts") == [(0,)]
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    await models.checkouts.create_checkout(anna.user_id, start_now=True)
    models.clock.advance(hours=1)
    await models.checkouts.create_checkout(anna.user_id, start_now=True)
    found = await rows(models, "select start_asked_at, start_words from checkouts")
    assert found == [(datetime(2026, 5, 1, 12, tzinfo=UTC), WORDS)]


async def test_a_withdrawal_ends_access_and_returns_the_money_once(models, stripe, anna) -> None:
    payment = await bought(models, stripe, anna)
    await asyncio.gather(*(models.withdrawals.withdraw(anna.user_id, payment) for _ in range(5)))
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert (await models.invite_codes.find_own(anna.user_id)).stopped
    assert len(stripe.refunds) == 1
    (one,) = await models.withdrawals.of(anna.user_id)
    assert (one.withdrawn_at is not None, one.is_refunded, one.is_withdrawable) == (True, True, False)
    await models.checkouts.sweep()
    assert len(stripe.refunds) == 1


async def test_with_stripe_down_the_sweep_returns_the_money(models, stripe, anna) -> None:
    payment = await bought(models, stripe, anna)
    stripe.faults.append("429")
    await models.withdrawals.withdraw(anna.user_id, payment)
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert await models.receipts.lost_by(anna.user_id) == "withdrawn"
    assert stripe.refunds == {}
    # Until then it is no difference to Stripe's books.
    assert await models.reconciliation.differences(7) == []
    await models.checkouts.sweep()
    assert len(stripe.refunds) == 1
    assert await models.receipts.lost_by(anna.user_id) == "refunded"


async def test_a_refund_that_fails_after_a_withdrawal_restores_no_access(models, stripe, anna) -> None:
    payment = await bought(models, stripe, anna)
    await models.withdrawals.withdraw(anna.user_id, payment)
    (refund_id,) = stripe.refunds
    await receive(models, object_event("refund.failed", stripe.fail(refund_id)))
    assert await models.grants.of(anna.user_id) == "unpaid"
    assert await alerts(models) == ["refund"]
    await models.checkouts.sweep()
    assert len(stripe.refunds) == 2


@pytest.mark.parametrize("role", ["caller", "callee"])
async def test_after_a_connected_call_it_is_too_late(models, stripe, anna, person, role) -> None:
    payment, ben = await bought(models, stripe, anna), await person("Ben")
    await ended_call(models, *((anna, ben) if role == "caller" else (ben, anna)))
    with pytest.raises(Conflict, match="used your access"):
        await models.withdrawals.withdraw(anna.user_id, payment)
    assert await models.grants.of(anna.user_id) == "paid"
    assert stripe.refunds == {}


async def test_a_friend_joins_or_the_money_returns_never_both(models, stripe, person) -> None:
    for number in range(8):
        anna = await person(f"Anna {number}", access=None, selfie=False)
        ben = await person(f"Ben {number}", access=None, selfie=False)
        payment = await bought(models, stripe, anna)
        code = (await models.invite_codes.find_own(anna.user_id)).code
        await asyncio.gather(
            models.invite_codes.redeem(code, ben.user_id),
            models.withdrawals.withdraw(anna.user_id, payment),
            return_exceptions=True,
        )
        both = await models.grants.of(anna.user_id), await models.grants.of(ben.user_id)
        assert both in {("paid", "invited"), ("unpaid", "unpaid")}


async def test_a_call_begins_or_the_money_returns_never_both(models, stripe, person) -> None:
    ben = await person("Ben")
    for number in range(8):
        anna = await person(f"Anna {number}", access=None)
        payment = await bought(models, stripe, anna)
        new = models.calls.new(new_id(), ben.user_id, anna.user_id, 300)
        accepted, withdrawn = await asyncio.gather(
            models.outcomes.accept(new),
            models.withdrawals.withdraw(anna.user_id, payment),
            return_exceptions=True,
        )
        assert not isinstance(accepted, BaseException)
        assert (accepted[0] == "accepted") is isinstance(withdrawn, Conflict)
        if accepted[0] == "accepted":
            await models.calls.hang_up(new.call_id)


async def test_payments_of_others_and_without_the_information(models, stripe, anna, person) -> None:
    payment, ben = await bought(models, stripe, anna), await person("Ben")
    with pytest.raises(NotFound):
        await models.withdrawals.withdraw(ben.user_id, payment)
    await rows(models, "update checkouts set start_asked_at = null")
    with pytest.raises(NotFound):
        await models.withdrawals.withdraw(anna.user_id, payment)
    assert await models.grants.of(anna.user_id) == "paid"


async def test_a_disputed_payment_is_not_withdrawn_from(models, stripe, anna) -> None:
    payment = await bought(models, stripe, anna)
    (session_id,) = stripe.sessions
    await receive(models, object_event("charge.dispute.created", stripe.dispute(session_id)))
    with pytest.raises(Conflict, match="bank"):
        await models.withdrawals.withdraw(anna.user_id, payment)


async def test_after_three_refunds_in_a_year_the_user_cannot_pay(models, stripe, anna) -> None:
    for _ in range(3):
        await models.withdrawals.withdraw(anna.user_id, await bought(models, stripe, anna))
    with pytest.raises(Conflict, match="taken back 3 payments"):
        await models.checkouts.create_checkout(anna.user_id, start_now=True)
    await older(models, "checkouts.refund_asked_at", days=366)
    await models.checkouts.create_checkout(anna.user_id, start_now=True)


async def test_extra_payments_are_refunded_so_often_a_year(stripe, person, servers, config) -> None:
    changed = replace(config, consumer_law="none", refunds_per_year=1)
    models = await Models.open(changed, servers.database_url, servers.redis_url)
    anna = (await models.sign_up.guest("Anna", "female", adult=True, invite_code=None, address="::1")).member
    await paid_twice(models, stripe, anna)
    second, first = await models.receipts.of(anna.user_id)
    stripe.faults.append("429")
    for _ in range(2):  # A repetition for the same payment counts once.
        with contextlib.suppress(StripeUnavailable):
            await models.receipts.refund_own(anna.user_id, second.payment_id)
    assert len(stripe.refunds) == 1
    with pytest.raises(Conflict, match="taken back"):
        await models.withdrawals.refund_extra(anna.user_id, first.payment_id, stops_code=False)
    await models.close()
