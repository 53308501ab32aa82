"""The words of the paywall: who need not pay, what a guest risks, how long a payment takes."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, MakeSite, Running
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.stripe_events import deliver, event
from tests.support.people.account_holders import upgraded
from tests.support.people.guests import guest_browser, own_code
from tests.support.people.reports import browser_of

FREE, FIRST, DAYS = "you need not pay", "with an e-mail and a password first", "take days"


async def test_the_invited_see_that_there_is_nothing_to_pay(site: Running, person: MakePerson) -> None:
    browser = await guest_browser(site)
    assert FREE in (await browser.get("/paywall")).text
    code = await own_code(site, await person("Anna"))
    invited = (await browser.get(f"/paywall?inviteCode={code}")).text
    assert "there is nothing to pay" in invited
    assert invited.index("Join free") < invited.index("Pay anyway")


async def test_a_guest_is_offered_an_account_before_the_payment(site: Running, person: MakePerson) -> None:
    guest = await person("Ann", access=None)
    page = (await (await browser_of(site, guest)).get("/paywall")).text
    assert page.index("/payment/create-checkout") < page.index(FIRST)
    holder = await upgraded(site, guest, "ann@example.com")
    assert FIRST not in (await (await browser_of(site, holder.person)).get("/paywall")).text


@pytest.mark.parametrize(("methods", "is_said"), [("immediate", False), ("all", True)])
async def test_the_words_fit_the_payment_methods(
    make_site: MakeSite, stripe: StripeStandIn, person: MakePerson, methods: str, is_said: bool
) -> None:
    site = await make_site(**stripe.settings, payment_methods=methods)
    browser = await browser_of(site, await person("Ann", access=None))
    assert (DAYS in (await browser.get("/paywall")).text) is is_said


async def test_a_payment_that_takes_days_is_explained(
    make_site: MakeSite, stripe: StripeStandIn, person: MakePerson
) -> None:
    site, ann = await make_site(**stripe.settings, payment_methods="all"), await person("Ann", access=None)
    offered = await site.client.post("/payment/create-checkout", {}, token=ann.token)
    session_id = offered.json["sessionId"]
    await deliver(site.client, event("completed", stripe.pay_later(session_id)))
    page = await (await browser_of(site, ann)).get(f"/payment-success?session_id={session_id}")
    assert "takes some days" in page.text
