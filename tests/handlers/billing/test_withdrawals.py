"""The withdrawal page, and the words before the checkout."""

from __future__ import annotations

from tests.conftest import Person, Running
from tests.support.billing.stripe_events import deliver, event


async def bought(site: Running, stripe, anna: Person) -> None:
    offered = (
        await site.client.post("/payment/create-checkout", token=anna.token, json={"startNow": True})
    ).json
    await deliver(site.client, event("completed", stripe.pay(offered["sessionId"])))


async def test_nobody_pays_without_the_words(make_site, person, stripe) -> None:
    site = await make_site(consumer_law="eu", **stripe.settings)
    signed = await site.models.sign_up.guest("Anna", "female", adult=True, invite_code=None, address="::1")
    answer = await site.client.post("/payment/create-checkout", token=signed.token, json={})
    assert (answer.status, set(answer.json["error"]["fields"])) == (422, {"startNow"})
    browser = site.browser()
    browser.cookies["session"] = signed.token
    page = (await browser.get("/paywall")).text
    assert "I ask for access to begin at once" in page
    again = await browser.post("/payment/create-checkout")
    assert again.status == 422
    assert "Please confirm this first." in again.text
    assert (await browser.post("/payment/create-checkout", startNow="true")).status == 303


async def test_a_buyer_withdraws_until_the_first_use(make_site, stripe) -> None:
    site = await make_site(consumer_law="eu", **stripe.settings)
    sign_up = site.models.sign_up.guest
    anna, ben = [
        await sign_up(name, "female", adult=True, invite_code=None, address="::1") for name in ("Anna", "Ben")
    ]
    await bought(site, stripe, anna)
    (one,) = (await site.client.get("/withdrawal", token=anna.token)).json["payments"]
    assert one["isWithdrawable"]
    assert (await site.client.get("/withdrawal", token=ben.token)).json == {"payments": []}
    foreign = await site.client.post("/withdrawal", token=ben.token, json={"paymentId": one["paymentId"]})
    assert foreign.status == 404
    browser = site.browser()
    browser.cookies["session"] = anna.token
    page = (await browser.get("/withdrawal")).text
    assert "Confirm withdrawal" in page
    assert (await browser.post("/withdrawal", paymentId=one["paymentId"])).status == 303
    assert "on its way" in (await browser.get("/withdrawal")).text
    assert (await site.client.get("/user/me", token=anna.token)).json["access"] == "unpaid"
    assert "Your payment was refunded" in (await browser.get("/paywall")).text


async def test_too_late(make_site, stripe) -> None:
    site = await make_site(consumer_law="eu", **stripe.settings)
    anna = await site.models.sign_up.guest("Anna", "female", adult=True, invite_code=None, address="::1")
    await bought(site, stripe, anna)
    own = await site.models.invite_codes.find_own(anna.member.user_id)
    await site.models.sign_up.guest("Ben", "male", adult=True, invite_code=own.code, address="::1")
    (one,) = (await site.client.get("/withdrawal", token=anna.token)).json["payments"]
    assert not one["isWithdrawable"]
    answer = await site.client.post("/withdrawal", token=anna.token, json={"paymentId": one["paymentId"]})
    assert answer.status == 409
    browser = site.browser()
    browser.cookies["session"] = anna.token
    await browser.get("/withdrawal")
    assert "no longer withdraw" in (await browser.post("/withdrawal", paymentId=one["paymentId"])).text
