"""Payment on Stripe's own page, return before and after the webhook, the QR code and the guests who use it,
the friendly refusal, and losing access on screen. Stripe is the stand-in; the pages and the way back are
real.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import free_port
from tests.journeys.parts.payments import pay, to_the_paywall, to_the_till, told
from tests.journeys.people.visitor import Visitor
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import DESKTOP, PHONE, Device, House, Stage, journey
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.stripe_books import KEY
from tests.support.billing.stripe_events import SECRET, event, object_event
from tests.support.clients import Client

CLIPBOARD = ("camera", "microphone", "clipboard-read", "clipboard-write")
SHARE = "navigator.share = async (what) => { window.shared = what; };"


@pytest.fixture(scope="module")
def paying(house: House, bank: StripeStandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same browsers, and a server that uses the fake Stripe."""
    settings = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "PRICE_CENTS": "50"}
    home = tmp_path_factory.mktemp("money")
    server = ServerProcess(home, free_port(), STRIPE_API_BASE=bank.api_base, **settings)
    server.start()
    yield replace(house, server=server)
    server.stop()


@pytest.fixture
def stage(paying: House, bank: StripeStandIn) -> Iterator[Stage]:
    stage = Stage(paying)
    yield stage
    bank.faults.clear()
    troubles = paying.loop.run(stage.clear()) + paying.server.faults[:5]
    assert not troubles, "\n".join(troubles)


@pytest.mark.parametrize(
    "device", [DESKTOP, pytest.param(PHONE, marks=pytest.mark.prove)], ids=["desktop", "phone"]
)
@journey
async def test_from_the_till_to_the_friendly_refusal(
    stage: Stage, bank: StripeStandIn, device: Device
) -> None:
    anna = await stage.visitor("Anna", device, may_use=CLIPBOARD, scripts=SHARE)
    await to_the_paywall(anna)
    await to_the_till(anna)
    bank.faults.extend(["429"] * 20)  # no query of the status succeeds
    session_id = await pay(anna)
    await anna.sees("Waiting for the payment to arrive")
    await told(stage, event("completed", bank.sessions[session_id]))
    await anna.sees("You are in, Anna")
    bank.faults.clear()
    await anna.sees("You can invite 4 friends")
    link = await anna.scanned_invite()
    await hands_it_on(anna, link)
    await comes_by_it(await stage.visitor("Ben", device), link)
    await used_up(stage, link)
    await is_refused(await stage.visitor("Eve", device), link)
    await loses_access(stage, anna, bank, session_id)


async def hands_it_on(anna: Visitor, link: str) -> None:
    await anna.press("Copy link")
    await anna.sees("Copied")
    assert await anna.page.evaluate("navigator.clipboard.readText()") == link
    await anna.press("Share")
    assert (await anna.page.evaluate("window.shared"))["url"] == link


async def comes_by_it(ben: Visitor, link: str) -> None:
    """Signed in and unpaid already when he scans it."""
    await to_the_paywall(ben)
    await ben.go(link)
    await ben.sees("Anna opened the door")
    await ben.press("Join free")
    await ben.at("/room")
    await ben.go("/settings")
    await ben.sees("0 of 4")


async def used_up(stage: Stage, link: str) -> None:
    client = Client(stage.server.url)
    code = link.rpartition("=")[2]
    guests = [{"name": f"Guest {n}", "gender": "male", "adult": True, "inviteCode": code} for n in range(3)]
    answers = await asyncio.gather(*(client.post("/auth/guest", guest) for guest in guests))
    assert [answer.json["access"] for answer in answers] == ["invited"] * 3
    client.close()


async def is_refused(eve: Visitor, link: str) -> None:
    await eve.go(link)
    await eve.sees("This code has been used up")
    await to_the_paywall(eve)
    await eve.go(link)
    await eve.sees("This code has been used up")
    await expect(eve.page.get_by_role("button", name="Pay $0.50")).to_be_visible()


async def loses_access(stage: Stage, anna: Visitor, bank: StripeStandIn, session_id: str) -> None:
    """At once, on any page, with the reason."""
    await anna.go("/settings")
    await anna.sees("All its invitations are used")
    await told(stage, object_event("charge.refunded", bank.give_back(session_id)))
    await anna.at("/paywall")
    await anna.sees("Your payment was refunded")
    await anna.press("See your receipt")
    await anna.sees("Refunded")


@journey
async def test_coming_back_after_the_news_and_when_it_never_comes(stage: Stage, bank: StripeStandIn) -> None:
    cleo, dan = await stage.visitor("Cleo"), await stage.visitor("Dan", PHONE)
    await asyncio.gather(to_the_paywall(cleo), to_the_paywall(dan))
    await asyncio.gather(to_the_till(cleo), to_the_till(dan))
    bank.when_paid = lambda session: told(stage, event("completed", session))
    await pay(cleo)
    await cleo.sees("You are in, Cleo")
    bank.when_paid = None
    await pay(dan)
    await dan.sees("You are in, Dan")


@journey
async def test_leaving_stripes_page_without_paying(stage: Stage, bank: StripeStandIn) -> None:
    finn = await stage.visitor("Finn")
    await to_the_paywall(finn)
    await to_the_till(finn)
    address = finn.page.url
    await finn.press("Back")
    await finn.sees("Nothing was charged")
    await to_the_till(finn)
    assert finn.page.url == address
