"""Refunds: a withdrawal by the buyer, and a refund that fails and is repeated by an admin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.journeys.conftest import free_port
from tests.journeys.parts.payments import pay, to_the_paywall, to_the_till, told
from tests.journeys.people.moderator import moderator
from tests.journeys.people.visitor import Visitor
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import PHONE, House, Stage, journey
from tests.support.billing.fake_stripe import StripeStandIn
from tests.support.billing.stripe_books import KEY
from tests.support.billing.stripe_events import SECRET, event, object_event


@pytest.fixture(scope="module")
def paying(house: House, bank: StripeStandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that uses the fake Stripe, under the consumer law of the EU."""
    settings = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "PRICE_CENTS": "50"}
    settings |= {"CONSUMER_LAW": "eu", "SELLER_NAME": "Sky GmbH", "SELLER_TAX_PERCENT": "19"}
    home = tmp_path_factory.mktemp("refunds")
    server = ServerProcess(home, free_port(), STRIPE_API_BASE=bank.api_base, **settings)
    server.start()
    yield replace(house, server=server)
    server.stop()


@pytest.fixture
def stage(paying: House) -> Iterator[Stage]:
    stage = Stage(paying)
    yield stage
    troubles = paying.loop.run(stage.clear()) + paying.server.faults[:5]
    assert not troubles, "\n".join(troubles)


async def buys(stage: Stage, visitor: Visitor, bank: StripeStandIn) -> str:
    """The session's id."""
    await to_the_paywall(visitor)
    await visitor.page.get_by_label("I ask for access to begin at once").check()
    await to_the_till(visitor)
    bank.when_paid = lambda session: told(stage, event("completed", session))
    session_id = await pay(visitor)
    bank.when_paid = None
    await visitor.sees(f"You are in, {visitor.name}")
    return session_id


@journey
async def test_a_buyer_withdraws_before_the_first_call(stage: Stage, bank: StripeStandIn) -> None:
    eva = await stage.visitor("Eva", PHONE)
    session_id = await buys(stage, eva, bank)
    await eva.press("Withdraw from the purchase")
    await eva.press("Confirm withdrawal")
    await eva.sees("The money is on its way")
    assert bank.charges[bank.sessions[session_id]["payment_intent"]]["refunded"]
    await eva.go("/room")
    await eva.at("/paywall")
    await eva.sees("Your payment was refunded")


@journey
async def test_a_refund_fails_and_is_made_again(stage: Stage, bank: StripeStandIn) -> None:
    gil = await stage.visitor("Gil")
    session_id = await buys(stage, gil, bank)
    ada = (await moderator(stage, "Ada", "admin")).screen
    await refunds(ada)
    await gil.at("/paywall")
    await told(stage, object_event("refund.failed", bank.fail(bank.refund_of(session_id)["id"])))
    await gil.go("/room")
    await gil.at("/room")
    await ada.go("/admin/payments")
    await ada.sees("A refund failed")
    await refunds(ada)
    await gil.at("/paywall")
    assert [one["status"] for one in bank.refunds.values()][-2:] == ["failed", "succeeded"]


async def refunds(ada: Visitor) -> None:
    """The only payment that can be refunded."""
    await ada.go("/admin/payments")
    await ada.touch(ada.page.locator("summary", has_text="Refund"))
    await ada.page.get_by_label("Why").fill("Asked by mail.")
    await ada.press("Refund $0.50")
    await ada.sees("refunded, $0.50 back")
