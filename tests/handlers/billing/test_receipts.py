"""The receipt page, refunds of extra payments, and losing access."""

from __future__ import annotations

import pytest

from tests.support.billing.payers import paid, paid_twice
from tests.support.billing.stripe_events import deliver, event, object_event
from tests.support.clients import Socket
from tests.support.people.guests import guest_browser, newcomer


@pytest.fixture
def site(io_loop, make_site, stripe):
    return io_loop.run_sync(lambda: make_site(**stripe.settings))


async def test_receipts_as_json(site, stripe, person) -> None:
    anna = await person("Anna", access=None)
    session_id = await paid(site.models, stripe, anna)
    (told,) = (await site.client.get("/receipt", token=anna.token)).json["payments"]
    assert (told["status"], told["amountCents"], told["currency"]) == ("paid", 50, "usd")
    assert (told["isExtra"], told["isRefundable"], told["refundedCents"]) == (False, False, 0)
    assert stripe.sessions[session_id]["payment_intent"].endswith(told["stripeId"][1:])
    ben = await person("Ben")
    assert (await site.client.get("/receipt", token=ben.token)).json == {"payments": []}
    assert (await site.client.get("/receipt")).status == 401


async def test_a_user_who_paid_twice_sees_it_and_refunds_it(site, stripe, person) -> None:
    anna = await person("Anna", access=None)
    sessions = await paid_twice(site.models, stripe, anna)
    html = {"Accept": "text/html"}
    for path in ("/settings", f"/payment-success?session_id={sessions[1]}"):
        page = await site.client.get(path, token=anna.token, headers=html)
        assert "You have paid more than you needed to" in page.text
    assert "You had paid before" in (await site.client.get("/receipt", token=anna.token, headers=html)).text
    second, first = (await site.client.get("/receipt", token=anna.token)).json["payments"]
    taken = await site.client.post("/receipt/refund", {"paymentId": second["paymentId"]}, token=anna.token)
    assert [one["status"] for one in taken.json["payments"]] == ["refunded", "paid"]
    for one in (first, second):
        again = await site.client.post("/receipt/refund", {"paymentId": one["paymentId"]}, token=anna.token)
        assert (again.status, again.code) == (409, "conflict")


async def test_a_receipt_is_for_its_owner(site, stripe, person) -> None:
    anna, ben = await person("Anna", access=None), await person("Ben")
    await paid_twice(site.models, stripe, anna)
    (second, _) = (await site.client.get("/receipt", token=anna.token)).json["payments"]
    for payment_id in (second["paymentId"], "5d9b9a0e-0000-4000-8000-000000000000"):
        answer = await site.client.post("/receipt/refund", {"paymentId": payment_id}, token=ben.token)
        assert (answer.status, answer.code) == (404, "not_found")


async def test_a_refund_by_form_and_with_htmx(site, stripe) -> None:
    browser = await guest_browser(site)
    assert "You have not paid anything" in (await browser.get("/receipt")).text
    refused = await browser.post("/receipt/refund", paymentId="nothing")
    assert refused.status == 404
    browser.xsrf = "wrong"
    assert (await browser.post("/receipt/refund", paymentId="nothing")).status == 403


async def test_lost_access_is_published_at_once_and_the_paywall_shows_why(site, stripe) -> None:
    token, _ = await newcomer(site)
    client = site.client
    session_id = (await client.post("/payment/create-checkout", {}, token=token)).json["sessionId"]
    await deliver(client, event("completed", stripe.pay(session_id)))
    socket = await Socket.connect(site.base_url, "/ws/invites", token)
    await socket.receive("state", access="paid")
    await deliver(client, object_event("charge.refunded", stripe.give_back(session_id)))
    await socket.receive("access:changed", access="unpaid")
    html = {"Accept": "text/html"}
    success = await client.get(f"/payment-success?session_id={session_id}", token=token, headers=html)
    assert "This payment was refunded" in success.text
    assert (await client.get("/room", token=token)).status == 402
    socket.close()
    await socket.closed()


@pytest.mark.parametrize(("how", "words"), [("refund", "was refunded"), ("dispute", "Your bank took")])
async def test_the_paywall_shows_why_access_was_lost(site, stripe, person, how, words) -> None:
    anna = await person("Anna", access=None)
    session_id = await paid(site.models, stripe, anna)
    if how == "refund":
        told = object_event("charge.refunded", stripe.give_back(session_id))
    else:
        told = object_event("charge.dispute.closed", stripe.dispute(session_id, "lost"))
    await deliver(site.client, told)
    page = await site.client.get("/paywall", token=anna.token, headers={"Accept": "text/html"})
    assert words in page.text
