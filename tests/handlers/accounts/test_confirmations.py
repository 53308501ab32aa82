"""Confirmation of addresses in a browser, and the return from Stripe in another browser."""

from __future__ import annotations

import pytest

from models.ids import NO_ID
from tests.conftest import MakePerson, Running
from tests.support.billing.stripe_events import deliver, event
from tests.support.people.account_holders import PASSWORD
from tests.support.smtp_server import Mailbox, link_in

pytestmark = pytest.mark.usefixtures("mailbox")


async def test_an_account_confirms_its_address(site: Running, mailbox: Mailbox, person: MakePerson) -> None:
    ann = await person("Ann")
    browser = site.browser()
    browser.cookies["session"] = ann.token
    await browser.get("/settings")
    await browser.post("/auth/upgrade", email="ann@example.com", password=PASSWORD)
    assert "is not confirmed yet" in (await browser.get("/settings")).text
    await browser.post("/settings/confirm-email")
    first, second = [link_in(str((await mailbox.any_letter()).get_content())) for _ in range(2)]
    assert first == second
    assert "Yes, confirm my address" in (await browser.get(first)).text
    assert "is not confirmed yet" in (await browser.get("/settings")).text, "a scanner opens links too"
    path, _, token = first.partition("?token=")
    assert "is confirmed" in (await browser.post(path, token=token)).text
    assert "is not confirmed yet" not in (await browser.get("/settings")).text
    for wrong in (f"{path}?token=x", f"/confirm/{NO_ID}?token={token}"):
        assert (await browser.get(wrong)).status == 404


async def test_changes_of_the_address_cannot_flood_a_mailbox(
    site: Running, mailbox: Mailbox, person: MakePerson
) -> None:
    ann = await person("Ann")
    kept = {"email": "ann@example.com", "password": PASSWORD}
    token = (await site.client.post("/auth/upgrade", kept, token=ann.token)).json["sessionToken"]
    for number in range(14):
        email = "ann@example.com" if number % 2 else f"other{number}@example.com"
        changed = {"email": email, "currentPassword": PASSWORD}
        assert (await site.client.post("/settings/email", changed, token=token)).status == 204
    # E-mails are sent one after the other.
    assert await site.models.mail.deliver("last@example.com", "The last", "The last")
    assert mailbox.recipients.count("ann@example.com") == 6, "three links, three notices of a change"
    assert len(mailbox.recipients) == 21, "ten links, ten notices, and the last"


async def test_another_browser_sees_that_the_payment_was_made(make_site, person, stripe) -> None:
    site = await make_site(**stripe.settings)
    anna = await site.models.sign_up.guest("Anna", "female", adult=True, invite_code=None, address="::1")
    offered = await site.models.checkouts.create_checkout(anna.member.user_id)
    path = f"/payment-success?session_id={offered.session_id}"
    page = (await site.browser().get(path)).text
    assert "Your payment is being processed" in page
    await deliver(site.client, event("completed", stripe.pay(offered.session_id)))
    page = (await site.browser().get(path)).text
    assert "Your payment has arrived" in page
    assert "Anna" not in page
    assert (await site.client.get(path)).status == 401
    unknown = await site.browser().get("/payment-success?session_id=cs_test_unknown")
    assert "Your payment" not in unknown.text
