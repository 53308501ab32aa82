"""Checkouts: one open checkout per user, one effect per event, and no effect without a signature."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from models.errors import BadRequest, Conflict, NotFound, Unavailable
from tests.support.billing.rows import rows
from tests.support.billing.stripe_events import SECRET, event, receive, signature


async def test_an_open_checkout_is_offered_again(models, stripe, anna) -> None:
    first = await models.checkouts.create_checkout(anna.user_id)
    assert await models.checkouts.create_checkout(anna.user_id) == first
    assert len(stripe.asked) == 1


async def test_concurrent_clicks_create_one_checkout(models, stripe, anna) -> None:
    clicks = (models.checkouts.create_checkout(anna.user_id) for _ in range(10))
    assert len({offered.session_id for offered in await asyncio.gather(*clicks)}) == 1
    assert len(stripe.sessions) == 1
    assert (await rows(models))["checkouts"] == 1


async def test_an_old_checkout_is_not_offered_again(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    first = await models.checkouts.create_checkout(anna.user_id)
    models.clock.advance(hours=22, minutes=59)
    assert await models.checkouts.create_checkout(anna.user_id) == first
    models.clock.advance(minutes=1)
    assert await models.checkouts.create_checkout(anna.user_id) != first


async def test_a_user_cannot_pay_twice(models, stripe, anna) -> None:
    await models.grants.grant(anna.user_id, "payment", "before")
    with pytest.raises(Conflict):
        await models.checkouts.create_checkout(anna.user_id)
    assert stripe.asked == []


async def test_a_checkout_is_for_its_owner(models, stripe, anna, person) -> None:
    ben = await person("Ben", access=None)
    offered = await models.checkouts.create_checkout(anna.user_id)
    for who, session_id in ((ben, offered.session_id), (anna, "cs_test_random"), (anna, "")):
        with pytest.raises(NotFound):
            await models.checkouts.status(who.user_id, session_id)


async def test_twenty_identical_events_at_once_have_one_effect(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    payload = event("completed", stripe.pay(offered.session_id))
    got = await asyncio.gather(*(receive(models, payload) for _ in range(20)))
    assert sorted(got) == ["applied"] + ["duplicate"] * 19
    assert await rows(models) == {"grants": 1, "codes": 1, "checkouts": 1, "events": 1}


@pytest.mark.parametrize("forgery", ["none", "bad", "odd", "another", "old", "as JSON again", "latin"])
async def test_a_forged_event_changes_nothing(models, stripe, anna, forgery) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    payload = event("completed", stripe.pay(offered.session_id))
    header = {
        "none": "",
        "bad": signature(payload)[:-1] + "x",
        "odd": "t=,v1,=;",
        "another": signature(payload, "whsec_of_somebody_else"),
        "old": signature(payload, age=301),
        "as JSON again": signature(payload),
        "latin": signature(payload)[:-1] + "é",
    }[forgery]
    if forgery == "as JSON again":
        payload = json.dumps(json.loads(payload)).encode()
    before = models.db.statements_run
    with pytest.raises(BadRequest):
        await models.stripe_webhook.receive(payload, header)
    assert models.db.statements_run == before
    assert await rows(models) == {"grants": 0, "codes": 0, "checkouts": 1, "events": 0}


async def test_signed_malformed_events_are_rejected(models) -> None:
    for payload in (b"", b"{", b"[]", b'{"id": 5}', b"\xff\xfe", b"[" * 50_000, b'{"id":"\\u0000"}'):
        with pytest.raises(BadRequest):
            await receive(models, payload)
    with pytest.raises(BadRequest):
        await receive(models, b" " * 300_000 + event("completed", {}))


async def test_a_webhook_secret_can_be_replaced(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    payload = event("completed", stripe.pay(offered.session_id))
    assert await receive(models, payload, signature(payload, "whsec_new", SECRET, age=299)) == "applied"


async def test_other_events_are_stored_and_ignored(models) -> None:
    payload = event("completed", {}).replace(b"checkout.session.completed", b"customer.created")
    assert await receive(models, payload) == "ignored"
    assert await receive(models, payload) == "duplicate"


async def test_killed_between_insert_and_commit_the_retry_grants_once(models, stripe, anna) -> None:
    offered = await models.checkouts.create_checkout(anna.user_id)
    payload = event("completed", stripe.pay(offered.session_id))
    async with models.db.transaction() as on:
        await models.grants.lock(anna.user_id, on=on)
        receiving = asyncio.create_task(receive(models, payload))
        await kill_who_waits(models)
        with pytest.raises(Unavailable):
            await receiving
    assert await rows(models) == {"grants": 0, "codes": 0, "checkouts": 1, "events": 0}
    assert await receive(models, payload) == "applied"
    assert await rows(models) == {"grants": 1, "codes": 1, "checkouts": 1, "events": 1}


async def kill_who_waits(models) -> None:
    """Terminates the connection that waits for a lock, as soon as there is one."""
    killed = None
    while not killed:
        async with models.db.link() as link:
            await link.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
            )
            killed = link.cursor.fetchone()
