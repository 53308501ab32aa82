"""From sign-up to the payment page and back. Stripe is the stand-in; the pages and the way back are real."""

from __future__ import annotations

from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import Stage
from tests.support.billing.stripe_events import deliver
from tests.support.clients import Client


async def to_the_paywall(visitor: Visitor) -> None:
    await visitor.go("/onboarding")
    await visitor.fill_profile()
    await visitor.take_selfie()
    await visitor.at("/paywall")


async def to_the_till(visitor: Visitor) -> None:
    """Stripe's own page."""
    await visitor.press("Pay $0.50")
    await visitor.at("/pay/cs_test_.*")


async def pay(visitor: Visitor) -> str:
    """The session's id, on the way back."""
    await visitor.press("Pay")
    await visitor.at(r"/payment-success\?session_id=.*")
    return visitor.page.url.rpartition("=")[2]


async def told(stage: Stage, payload: bytes) -> None:
    client = Client(stage.server.url)
    assert (await deliver(client, payload)).status == 200
    client.close()
