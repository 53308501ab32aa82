"""The test checkout: it states that it is a test, and pays through the webhook."""

from __future__ import annotations

from tests.support.billing.stripe_books import KEY
from tests.support.billing.stripe_events import SECRET
from tests.support.people.guests import guest_browser, newcomer


async def begin(browser) -> str:
    """Presses Pay on the paywall; returns the path of the next page."""
    answer = await browser.post("/payment/create-checkout")
    assert answer.status == 303
    path = answer.headers["Location"].removeprefix("http://localhost")
    return path[path.index("/") :]


async def test_a_payment_from_start_to_end(site) -> None:
    browser = await guest_browser(site)
    path = await begin(browser)
    page = await browser.get(path)
    assert "This is a test checkout" in page.text
    paid = await browser.post(path, action="pay")
    session_id = path.removeprefix("/test-checkout/")
    assert (paid.status, paid.headers["Location"]) == (303, f"/payment-success?session_id={session_id}")
    assert "You can invite 4 friends" in (await browser.get(paid.headers["Location"])).text
    async with site.models.db.link() as link:
        await link.execute("select type, effect from stripe_events")
        assert link.cursor.fetchall() == [("checkout.session.completed", "applied")]


async def test_pressing_twice_pays_once(site) -> None:
    browser = await guest_browser(site)
    path = await begin(browser)
    for _ in range(2):
        assert (await browser.post(path, action="pay")).status == 303
    async with site.models.db.link() as link:
        await link.execute("select count(*) from access_grants")
        assert link.cursor.fetchone() == (1,)
    assert (await browser.get(path)).headers["Location"].startswith("/payment-success")


async def test_after_cancelling_the_next_checkout_is_new(site) -> None:
    browser = await guest_browser(site)
    path = await begin(browser)
    cancelled = await browser.post(path, action="cancel")
    assert (cancelled.status, cancelled.headers["Location"]) == (303, "/paywall?cancelled=1")
    await browser.post(path, action="pay")
    assert "One small fee" in (await browser.get("/paywall")).text
    assert await begin(browser) != path


async def test_the_page_is_for_the_checkouts_owner(site) -> None:
    path = await begin(await guest_browser(site))
    token, _ = await newcomer(site, "Otto")
    for answer in (
        await site.client.get(path, token=token),
        await site.client.post(path, {"action": "pay"}, token=token),
        await site.client.get("/test-checkout/cs_test_nowhere", token=token),
    ):
        assert (answer.status, answer.code) == (404, "not_found")


async def test_other_actions_are_rejected(site) -> None:
    browser = await guest_browser(site)
    path = await begin(browser)
    assert (await browser.post(path, action="refund")).status == 422
    browser.xsrf = "wrong"
    assert (await browser.post(path, action="pay")).status == 403


async def test_with_a_stripe_key_there_is_no_test_checkout(make_site) -> None:
    site = await make_site(stripe_secret_key=KEY, stripe_webhook_secrets=(SECRET,), price_cents=50)
    token, _ = await newcomer(site)
    assert (await site.client.get("/test-checkout/cs_test_1", token=token)).status == 404


async def test_in_production_without_a_key_payments_are_unavailable(make_site) -> None:
    site = await make_site(environment="production")
    token, _ = await newcomer(site)
    assert (await site.client.get("/test-checkout/cs_test_1", token=token)).status == 404
    answer = await site.client.post("/payment/create-checkout", {}, token=token)
    assert (answer.status, answer.code) == (503, "unavailable")
