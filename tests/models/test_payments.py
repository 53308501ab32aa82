"""Payments against a small Stripe: paid means in, once; everything else changes nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from models import stripe_api
from models.config import Config
from models.errors import BadRequest, Conflict, NotFound, Unavailable
from models.stripe_api import StripeAway, StripeRefused
from tests.stripe_stand_in import KEY, SECRET, StripeStandIn, event, running, signature


@pytest.fixture
def stripe(io_loop) -> Iterator[StripeStandIn]:
    yield from running(io_loop)


@pytest.fixture
def config(stripe) -> Config:
    return Config(stun_urls=(), guests_per_hour=100_000, **stripe.settings)


@pytest.fixture
def anna(io_loop, person):
    return io_loop.run_sync(lambda: person("Anna", access=None))


async def tell(models, payload: bytes, header: str | None = None) -> str:
    return await models.payments.receive(payload, signature(payload) if header is None else header)


async def rows(models) -> dict[str, int]:
    async with models.db.cursor() as cursor:
        await cursor.execute(
            "select (select count(*) from access_grants), (select count(*) from invite_codes), "
            "(select count(*) from checkouts), (select count(*) from stripe_events)"
        )
        return dict(zip(("grants", "codes", "checkouts", "events"), await cursor.fetchone(), strict=True))


async def effects(models) -> list[str]:
    async with models.db.cursor() as cursor:
        await cursor.execute("select effect from stripe_events order by received_at")
        return [effect for (effect,) in await cursor.fetchall()]


# -- asking Stripe for a checkout --


async def test_a_checkout_is_made_as_the_contract_says(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    session = stripe.sessions[offered.session_id]
    assert offered.checkout_url == session["url"]
    assert (session["amount_total"], session["currency"], session["mode"]) == (50, "usd", "payment")
    assert session["client_reference_id"] == session["metadata"]["user_id"] == anna.user_id
    assert session["metadata"]["attempt_id"]
    assert session["intent_metadata"] == session["metadata"]
    base = models.config.base_url
    assert session["success_url"] == f"{base}/payment-success?session_id={{CHECKOUT_SESSION_ID}}"
    assert session["cancel_url"] == f"{base}/paywall?cancelled=1"


async def test_an_open_checkout_is_offered_again(models, stripe, anna) -> None:
    first = await models.payments.create_checkout(anna.user_id)
    assert await models.payments.create_checkout(anna.user_id) == first
    assert len(stripe.asked) == 1


async def test_many_clicks_make_one_checkout(models, stripe, anna) -> None:
    clicks = (models.payments.create_checkout(anna.user_id) for _ in range(10))
    assert len({offered.session_id for offered in await asyncio.gather(*clicks)}) == 1
    assert len(stripe.sessions) == 1
    assert (await rows(models))["checkouts"] == 1


async def test_an_old_checkout_is_not_offered_again(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    first = await models.payments.create_checkout(anna.user_id)
    models.clock.advance(hours=22, minutes=59)
    assert await models.payments.create_checkout(anna.user_id) == first
    models.clock.advance(minutes=1)
    assert await models.payments.create_checkout(anna.user_id) != first


async def test_an_old_checkout_that_is_paid_after_all_counts(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    first = await models.payments.create_checkout(anna.user_id)
    models.clock.advance(hours=23, minutes=30)
    await models.payments.create_checkout(anna.user_id)
    assert await tell(models, event("completed", stripe.pay(first.session_id))) == "applied"
    assert await models.access.of(anna.user_id) == "paid"


async def test_nobody_pays_twice(models, stripe, anna) -> None:
    await models.access.grant(anna.user_id, "payment", "before")
    with pytest.raises(Conflict):
        await models.payments.create_checkout(anna.user_id)
    assert stripe.asked == []


@pytest.mark.parametrize("fault", ["500", "503", "429", "reset", "lost", "garbage"])
async def test_when_stripe_fails_the_retry_is_the_same_question(models, stripe, anna, fault) -> None:
    stripe.faults.extend([fault] * (1 if fault in ("429", "garbage") else 1 + stripe_api.RETRIES))
    with pytest.raises(StripeAway):
        await models.payments.create_checkout(anna.user_id)
    offered = await models.payments.create_checkout(anna.user_id)
    assert list(stripe.sessions) == [offered.session_id]
    assert len({key for _, _, key in stripe.asked}) == 1


async def test_a_hanging_stripe_is_given_up_in_time(models, stripe, anna, monkeypatch) -> None:
    assert stripe_api.TOTAL_SECONDS < 10
    monkeypatch.setattr(stripe_api, "TOTAL_SECONDS", 0.2)
    stripe.faults.append("hang")
    with pytest.raises(StripeAway):
        await models.payments.create_checkout(anna.user_id)
    monkeypatch.undo()
    await models.payments.create_checkout(anna.user_id)
    assert len({key for _, _, key in stripe.asked}) == 1


async def test_a_failure_that_stripe_keeps_does_not_last(models, stripe, anna) -> None:
    stripe.faults.append("kept 500")
    with pytest.raises(StripeRefused):
        await models.payments.create_checkout(anna.user_id)
    await models.payments.create_checkout(anna.user_id)
    assert len(stripe.sessions) == 1
    assert len({key for _, _, key in stripe.asked}) == 2


@pytest.mark.parametrize("changes", [{"stripe_secret_key": "sk_test_another"}, {"price_cents": 49}])
async def test_our_own_faults_are_logged_and_said_plainly(make_site, person, caplog, changes) -> None:
    site = await make_site(**changes)
    signed_up = await site.models.sign_up.guest("Anna", "female", adult=True, invite_code=None, address="::1")
    with caplog.at_level(logging.WARNING), pytest.raises(StripeRefused):
        await site.models.payments.create_checkout(signed_up.member.user_id)
    assert "Stripe refused" in caplog.text
    assert KEY[:12] not in caplog.text


# -- what Stripe tells --


async def test_a_paid_checkout_gives_access_and_a_code_of_four(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    assert await tell(models, event("completed", stripe.pay(offered.session_id))) == "applied"
    assert await models.access.of(anna.user_id) == "paid"
    assert (await models.invite_codes.find_own(anna.user_id)).uses_remaining == 4


async def test_twenty_identical_events_at_once_are_one(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    payload = event("completed", stripe.pay(offered.session_id))
    got = await asyncio.gather(*(tell(models, payload) for _ in range(20)))
    assert sorted(got) == ["applied"] + ["duplicate"] * 19
    assert await rows(models) == {"grants": 1, "codes": 1, "checkouts": 1, "events": 1}


async def test_twenty_events_that_tell_the_same_are_one(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    kinds = ("completed", "async_payment_succeeded")
    got = await asyncio.gather(*(tell(models, event(kinds[n % 2], session)) for n in range(20)))
    assert sorted(got) == ["applied"] + ["ignored"] * 19
    assert await rows(models) == {"grants": 1, "codes": 1, "checkouts": 1, "events": 20}


async def test_unpaid_waits_for_the_money(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    assert await tell(models, event("completed", stripe.pay_later(offered.session_id))) == "ignored"
    assert await models.access.of(anna.user_id) == "unpaid"
    assert await tell(models, event("async_payment_succeeded", stripe.pay(offered.session_id))) == "applied"
    assert await models.access.of(anna.user_id) == "paid"


@pytest.mark.parametrize("kind", ["async_payment_failed", "expired"])
async def test_what_came_to_nothing_grants_nothing_and_one_may_try_again(models, stripe, anna, kind) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    session = stripe.expire(offered.session_id) if kind == "expired" else stripe.pay_later(offered.session_id)
    assert await tell(models, event(kind, session)) == "applied"
    assert (await models.payments.status(anna.user_id, offered.session_id)).access == "unpaid"
    assert await models.payments.create_checkout(anna.user_id) != offered


async def test_late_news_of_failure_takes_nothing_back(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    await tell(models, event("async_payment_succeeded", session))
    for kind, changes in (
        ("completed", {"payment_status": "unpaid"}),
        ("expired", {"status": "expired"}),
        ("async_payment_failed", {"payment_status": "unpaid"}),
    ):
        assert await tell(models, event(kind, session, **changes)) == "ignored"
    assert await models.access.of(anna.user_id) == "paid"


async def test_news_may_come_before_the_answer_did(models, stripe, anna) -> None:
    # Stripe makes the session; none of our tries hears of it.
    stripe.faults.extend(["lost"] * (1 + stripe_api.RETRIES))
    with pytest.raises(StripeAway):
        await models.payments.create_checkout(anna.user_id)
    (session_id,) = stripe.sessions
    assert await tell(models, event("completed", stripe.pay(session_id))) == "applied"
    assert (await models.payments.status(anna.user_id, session_id)).access == "paid"


WRONG = {
    "amount": {"amount_total": 49},
    "currency": {"currency": "eur"},
    "person": {"client_reference_id": "5d9b9a0e-0000-4000-8000-000000000000"},
    "no person": {"client_reference_id": None},
    "mode": {"mode": "subscription"},
    "livemode": {"livemode": True},
    "session": {"id": "cs_test_another"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=list(WRONG))
async def test_not_as_created_grants_nothing_and_is_logged(models, stripe, anna, caplog, changes) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    with caplog.at_level(logging.ERROR):
        assert await tell(models, event("completed", stripe.pay(offered.session_id), **changes)) == "ignored"
    assert await models.access.of(anna.user_id) == "unpaid"
    assert await effects(models) == ["refused"]
    assert "nothing is granted" in caplog.text


async def test_an_event_of_the_other_mode_grants_nothing(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    assert await tell(models, event("completed", session, livemode=True)) == "ignored"
    assert await tell(models, event("completed", session | {"livemode": True}, livemode=True)) == "ignored"
    assert await models.access.of(anna.user_id) == "unpaid"


async def test_metadata_of_somebody_else_grants_nothing(models, stripe, anna, person) -> None:
    ben = await person("Ben", access=None)
    offered = await models.payments.create_checkout(anna.user_id)
    session = stripe.pay(offered.session_id)
    metadata = session["metadata"] | {"user_id": ben.user_id}
    assert await tell(models, event("completed", session, metadata=metadata)) == "ignored"
    assert await models.access.of(ben.user_id) == "unpaid"
    assert await models.access.of(anna.user_id) == "unpaid"


async def test_strangers_on_the_same_account_are_no_news(models, stripe, caplog) -> None:
    foreign = {"id": "cs_test_shop", "metadata": {}, "payment_status": "paid", "mode": "subscription"}
    with caplog.at_level(logging.ERROR):
        assert await tell(models, event("completed", foreign)) == "ignored"
    assert caplog.text == ""
    lost = foreign | {"metadata": {"attempt_id": "5d9b9a0e-0000-4000-8000-000000000000"}}
    with caplog.at_level(logging.ERROR):
        assert await tell(models, event("completed", lost)) == "ignored"
    assert "do not know" in caplog.text


@pytest.mark.parametrize("forgery", ["none", "bad", "odd", "another", "old", "as JSON again", "latin"])
async def test_a_forged_event_changes_nothing(models, stripe, anna, forgery) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
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
        await models.payments.receive(payload, header)
    assert models.db.statements_run == before
    assert await rows(models) == {"grants": 0, "codes": 0, "checkouts": 1, "events": 0}


async def test_signed_nonsense_is_refused(models) -> None:
    for payload in (b"", b"{", b"[]", b'{"id": 5}', b"\xff\xfe", b"[" * 50_000, b'{"id":"\\u0000"}'):
        with pytest.raises(BadRequest):
            await tell(models, payload)
    with pytest.raises(BadRequest):
        await tell(models, b" " * 300_000 + event("completed", {}))


async def test_a_secret_may_be_replaced_by_another(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    payload = event("completed", stripe.pay(offered.session_id))
    assert await tell(models, payload, signature(payload, "whsec_new", SECRET, age=299)) == "applied"


async def test_other_events_are_kept_and_ignored(models) -> None:
    payload = event("completed", {}).replace(b"checkout.session.completed", b"customer.created")
    assert await tell(models, payload) == "ignored"
    assert await tell(models, payload) == "duplicate"


async def test_killed_between_insert_and_commit_the_retry_grants_once(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    payload = event("completed", stripe.pay(offered.session_id))
    async with models.db.transaction() as on:
        await models.access.lock(anna.user_id, on=on)
        telling = asyncio.create_task(tell(models, payload))
        await kill_who_waits(models)
        with pytest.raises(Unavailable):
            await telling
    assert await rows(models) == {"grants": 0, "codes": 0, "checkouts": 1, "events": 0}
    assert await tell(models, payload) == "applied"
    assert await rows(models) == {"grants": 1, "codes": 1, "checkouts": 1, "events": 1}


async def kill_who_waits(models) -> None:
    """Ends the connection that waits for a lock, as soon as there is one."""
    killed = None
    while not killed:
        async with models.db.cursor() as cursor:
            await cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
            )
            killed = await cursor.fetchone()


# -- how it stands --


async def test_a_late_webhook_is_asked_for(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    stripe.pay(offered.session_id)
    status = await models.payments.status(anna.user_id, offered.session_id)
    assert (status.access, status.uses_remaining) == ("paid", 4)
    assert status.invite_url.endswith(f"/onboarding?inviteCode={status.invite_code}")
    assert await tell(models, event("completed", stripe.sessions[offered.session_id])) == "ignored"
    assert (await rows(models))["grants"] == 1


async def test_many_looks_ask_once(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    offered = await models.payments.create_checkout(anna.user_id)
    looks = (models.payments.status(anna.user_id, offered.session_id) for _ in range(10))
    assert {status.access for status in await asyncio.gather(*looks)} == {"pending"}
    assert len(stripe.asked) == 2
    models.clock.advance(seconds=5)
    await models.payments.status(anna.user_id, offered.session_id)
    assert len(stripe.asked) == 3


async def test_while_stripe_is_away_it_is_pending(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    stripe.pay(offered.session_id)
    stripe.faults.append("429")
    assert (await models.payments.status(anna.user_id, offered.session_id)).access == "pending"


async def test_a_checkout_is_its_owners(models, stripe, anna, person) -> None:
    ben = await person("Ben", access=None)
    offered = await models.payments.create_checkout(anna.user_id)
    for who, session_id in ((ben, offered.session_id), (anna, "cs_test_random"), (anna, "")):
        with pytest.raises(NotFound):
            await models.payments.status(who.user_id, session_id)


async def test_an_answer_of_stripes_is_checked_like_an_event(models, stripe, anna) -> None:
    offered = await models.payments.create_checkout(anna.user_id)
    stripe.pay(offered.session_id)["amount_total"] = 1
    assert (await models.payments.status(anna.user_id, offered.session_id)).access == "pending"
    assert await models.access.of(anna.user_id) == "unpaid"


async def test_the_sweep_settles_what_nobody_came_back_for(models, stripe, anna, person) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    ben, carla = await person("Ben", access=None), await person("Carla", access=None)
    paid, expired, still_open = [await models.payments.create_checkout(p.user_id) for p in (anna, ben, carla)]
    stripe.pay(paid.session_id), stripe.expire(expired.session_id)
    models.clock.advance(seconds=59)
    assert await models.payments.sweep() == 0
    models.clock.advance(seconds=1)
    assert await models.payments.sweep() == 3
    assert await models.access.of(anna.user_id) == "paid"
    assert (await models.payments.status(ben.user_id, expired.session_id)).access == "unpaid"
    assert await models.payments.sweep() == 0
    models.clock.advance(seconds=60)
    assert await models.payments.sweep() == 1
    assert (await models.payments.status(carla.user_id, still_open.session_id)).access == "pending"


async def test_the_sweep_stops_when_stripe_is_away_and_goes_on_past_the_unknown(
    models, stripe, person
) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    people = [await person(f"Guest {n}", access=None, selfie=False) for n in range(3)]
    offered = [await models.payments.create_checkout(p.user_id) for p in people]
    models.clock.advance(seconds=60)
    stripe.faults.append("429")
    assert await models.payments.sweep() == 0
    models.clock.advance(seconds=60)
    del stripe.sessions[offered[1].session_id]
    assert await models.payments.sweep() == 3


async def test_attempts_that_never_reached_stripe_are_closed_after_a_day(models, stripe, anna) -> None:
    models.clock.freeze(datetime(2026, 5, 1, 12, tzinfo=UTC))
    stripe.faults.append("429")
    with pytest.raises(StripeAway):
        await models.payments.create_checkout(anna.user_id)
    models.clock.advance(hours=24)
    await models.payments.sweep()
    async with models.db.cursor() as cursor:
        await cursor.execute("select state from checkouts")
        assert await cursor.fetchone() == ("expired",)
