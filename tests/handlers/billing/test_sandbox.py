"""The test checkout: it says what it is, and pays through the webhook's own door."""

from __future__ import annotations

from tests.support.guests import guest_browser, newcomer
from tests.support.stripe_books import KEY
from tests.support.stripe_events import SECRET


async def begin(browser) -> str:
    """Presses Pay on the paywall; the path of the page one gets to."""
    answer = await browser.post("/payment/create-checkout")
    assert answer.status == 303
    path = answer.headers["Location"].removeprefix("http://localhost")
    return path[path.index("/") :]


async def test_the_whole_way_through(site) -> None:
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


async def test_cancelling_leads_back_and_the_next_one_is_new(site) -> None:
    browser = await guest_browser(site)
    path = await begin(browser)
    cancelled = await browser.post(path, action="cancel")
    assert (cancelled.status, cancelled.headers["Location"]) == (303, "/paywall?cancelled=1")
    await browser.post(path, action="pay")
    assert "One small fee" in (await browser.get("/paywall")).text
    assert await begin(browser) != path


async def test_it_is_the_owners(site) -> None:
    path = await begin(await guest_browser(site))
    token, _ = await newcomer(site, "Otto")
    for answer in (
        await site.client.get(path, token=token),
        await site.client.post(path, {"action": "pay"}, token=token),
        await site.client.get("/test-checkout/cs_test_nowhere", token=token),
    ):
        assert (answer.status, answer.code) == (404, "not_found")


async def test_only_two_actions(site) -> None:
    browser = await guest_browser(site)
    path = await begin(browser)
    assert (await browser.post(path, action="refund")).status == 422
    browser.xsrf = "wrong"
    assert (await browser.post(path, action="pay")).status == 403


async def test_with_a_key_there_is_none(make_site) -> None:
    site = await make_site(stripe_secret_key=KEY, stripe_webhook_secrets=(SECRET,), price_cents=50)
    token, _ = await newcomer(site)
    assert (await site.client.get("/test-checkout/cs_test_1", token=token)).status == 404


async def test_in_production_without_a_key_nobody_can_pay(make_site) -> None:
    site = await make_site(environment="production")
    token, _ = await newcomer(site)
    assert (await site.client.get("/test-checkout/cs_test_1", token=token)).status == 404
    answer = await site.client.post("/payment/create-checkout", {}, token=token)
    assert (answer.status, answer.code) == (503, "unavailable")
