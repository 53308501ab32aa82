"""Polling of Stripe when an event is late: on the return page and in the sweep."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from models.billing.provider.stripe_api import StripeUnavailable
from tests.support.billing.rows import rows
from tests.support.billing.stripe_events import event, receive


async def test_a_late_event_is_polled(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    stripe.pay(offered.session_id)
    status = await models.checkouts.status(anna.user_id, offered.session_id)
    assert (status.access, status.uses_remaining) == ("paid", 4)
    assert status.invite_url.endswith(f"/onboarding?inviteCode={status.invite_code}")
    assert await receive(models, event("completed", stripe.sessions[offered.session_id])) == "ignored"
    assert (await rows(models))["grants"] == 1


async def test_concurrent_views_poll_once(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    offered = await models.checkouts.create_checkout(anna.user_id)
    looks = (models.checkouts.status(anna.user_id, offered.session_id) for _ in range(10))
    assert {status.access for status in await asyncio.gather(*looks)} == {"pending"}
    assert len(stripe.asked) == 2
    models.clock.advance(seconds=5)
    await models.checkouts.status(anna.user_id, offered.session_id)
    assert len(stripe.asked) == 3


async def test_a_checkout_is_pending_while_stripe_is_down(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    stripe.pay(offered.session_id)
    stripe.faults.append("429")
    assert (await models.checkouts.status(anna.user_id, offered.session_id)).access == "pending"


async def test_a_polled_session_is_checked_like_an_event(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    stripe.pay(offered.session_id)["amount_total"] = 1
    assert (await models.checkouts.status(anna.user_id, offered.session_id)).access == "review"
    assert await models.grants.of(anna.user_id) == "unpaid"


async def test_the_sweep_settles_checkouts_whose_users_did_not_return(models, stripe, anna, person) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    ben, carla = await person("Ben", access=None), await person("Carla", access=None)
    paid, expired, still_open = [
        await models.checkouts.create_checkout(p.user_id) for p in (anna, ben, carla)
    ]
    stripe.pay(paid.session_id), stripe.expire(expired.session_id)
    models.clock.advance(seconds=59)
    assert await models.checkouts.sweep() == 0
    models.clock.advance(seconds=1)
    assert await models.checkouts.sweep() == 3
    assert await models.grants.of(anna.user_id) == "paid"
    assert (await models.checkouts.status(ben.user_id, expired.session_id)).access == "unpaid"
    assert await models.checkouts.sweep() == 0
    models.clock.advance(seconds=60)
    assert await models.checkouts.sweep() == 1
    assert (await models.checkouts.status(carla.user_id, still_open.session_id)).access == "pending"


async def test_the_sweep_stops_when_stripe_is_down_and_skips_unknown_sessions(models, stripe, person) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    people = [await person(f"Guest {n}", access=None, selfie=False) for n in range(3)]
    offered = [await models.checkouts.create_checkout(p.user_id) for p in people]
    models.clock.advance(seconds=60)
    stripe.faults.append("429")
    assert await models.checkouts.sweep() == 0
    models.clock.advance(seconds=60)
    del stripe.sessions[offered[1].session_id]
    assert await models.checkouts.sweep() == 3


async def test_attempts_that_never_reached_stripe_are_closed_after_a_day(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    stripe.faults.append("429")
    with pytest.raises(StripeUnavailable):
        await models.checkouts.create_checkout(anna.user_id)
    models.clock.advance(hours=24)
    await models.checkouts.sweep()
    async with models.db.link() as link:
        await link.execute("select state from checkouts")
        assert link.cursor.fetchone() == ("expired",)
