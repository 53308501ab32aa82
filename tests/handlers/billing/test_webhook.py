"""The Stripe webhook over HTTP: only the raw bytes and the signature matter."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.billing.stripe_events import SECRET, deliver, event, signature
from tests.support.people.guests import newcomer


async def checkout_of(site, stripe, token: str) -> dict:
    answer = await site.client.post("/payment/create-checkout", {}, token=token)
    return stripe.sessions[answer.json["sessionId"]]


async def access_of(site, token: str) -> str:
    return (await site.client.get("/user/me", token=token)).json["access"]


async def test_a_paid_event_is_received(paying_site, stripe) -> None:
    token, _ = await newcomer(paying_site)
    session = await checkout_of(paying_site, stripe, token)
    answer = await deliver(paying_site.client, event("completed", stripe.pay(session["id"])))
    assert (answer.status, answer.json) == (200, {"received": True})
    assert "Set-Cookie" not in answer.headers
    me = (await paying_site.client.get("/user/me", token=token)).json
    assert (me["access"], me["usesRemaining"]) == ("paid", 4)


async def test_origin_and_cookies_are_ignored(paying_site, stripe) -> None:
    token, _ = await newcomer(paying_site)
    payload = event("completed", stripe.pay((await checkout_of(paying_site, stripe, token))["id"]))
    headers = {
        "Origin": "https://evil.example",
        "Cookie": f"session={token}",
        "Authorization": "Bearer nonsense",
        "Content-Type": "application/x-www-form-urlencoded",
        "Stripe-Signature": signature(payload),
    }
    answer = await paying_site.client.send("POST", "/payment/webhook", body=payload, headers=headers)
    assert answer.status == 200
    assert await access_of(paying_site, token) == "paid"


@pytest.mark.parametrize("header", ["", "t=1,v1=00", "nonsense", "t=9,v1=é", "v1=," * 1000])
async def test_a_forged_event_is_a_bad_request(paying_site, stripe, header) -> None:
    token, _ = await newcomer(paying_site)
    session = await checkout_of(paying_site, stripe, token)
    answer = await deliver(paying_site.client, event("completed", stripe.pay(session["id"])), header)
    assert (answer.status, answer.code) == (400, "bad_request")
    assert answer.headers["Content-Type"].startswith("application/json")
    assert await access_of(paying_site, token) == "unpaid"


async def test_twenty_identical_events_at_once_on_two_processes(paying_site, make_site, stripe) -> None:
    other = await make_site(**stripe.settings)
    token, user_id = await newcomer(paying_site)
    session = await checkout_of(paying_site, stripe, token)
    payload = event("completed", stripe.pay(session["id"]))
    sent = (deliver((paying_site, other)[n % 2].client, payload) for n in range(20))
    assert {answer.status for answer in await asyncio.gather(*sent)} == {200}
    async with paying_site.models.db.link() as link:
        await link.execute("select count(*) from access_grants where user_id = %s", (user_id,))
        assert link.cursor.fetchone() == (1,)


async def test_a_site_without_a_key_accepts_no_events_of_stripe(site) -> None:
    payload = event("completed", {"id": "cs_test_1"})
    for header in (signature(payload, SECRET), signature(payload, "whsec_")):
        assert (await deliver(site.client, payload, header)).status == 400


async def test_other_methods_are_not_allowed(paying_site) -> None:
    answer = await paying_site.client.get("/payment/webhook")
    assert (answer.status, answer.code) == (405, "method")


async def test_an_oversized_event_is_rejected(paying_site) -> None:
    payload = b" " * 300_000
    assert (await deliver(paying_site.client, payload)).status == 400
