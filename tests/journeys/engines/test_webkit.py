"""WebKitGTK: every page, the sign-up with its camera, the ring with its sound, the chat of a call.

Its calls have no media: Debian builds it without RTCPeerConnection, and no_media.js is a stub of one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.journeys.engines.webkit import NO_MEDIA, WebKit, webkit
from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor
from tests.journeys.stage import Stage, journey

NO_CALLS = "This browser cannot make video calls."


@journey
async def test_without_webrtc_it_is_told_before_the_payment_and_before_going_online(
    stage: Stage, tmp_path: Path
) -> None:
    """The engine as it is, without changes by the test."""
    async with webkit("Willa", stage.server.url, tmp_path) as willa:
        await willa.go("/")
        assert await willa.run("return typeof RTCPeerConnection") == "undefined"
        await willa.press("Get started", "main")
        await willa.sees(NO_CALLS)
        await sign_up(willa)
        await willa.at("/paywall")
        await willa.sees(NO_CALLS)
        await pay(willa)
        await willa.go("/room")
        await willa.sees("Video calls are switched off in this browser")


async def sign_up(one: WebKit) -> None:
    await one.fill("Your name", one.name)
    await one.choose("radio", "A woman")
    await one.choose("checkbox", "I am 18 or older")
    await one.press("Continue", "main")
    await one.sees(f"Nice to meet you, {one.name}")
    await one.press("Open the camera")
    await one.press("Take the photo")
    await one.press("Use this photo")


async def pay(one: WebKit) -> None:
    await one.press("Pay $0.01")
    await one.at("/test-checkout/.*")
    await one.press("Pretend to pay $0.01")
    await one.at(r"/payment-success\?.*")
    await one.sees(f"You are in, {one.name}")


@journey
async def test_an_evening_without_media(stage: Stage, tmp_path: Path) -> None:
    """Rings go out and come in, with their sound; the stub stands for the media only."""
    cora, dora = await stage.visitor("Cora"), await stage.visitor("Dora")
    await asyncio.gather(cora.enrol(), dora.enrol())
    await asyncio.gather(cora.go_online(), dora.go_online())
    async with webkit("Willa", stage.server.url, tmp_path, scripts=NO_MEDIA) as willa:
        await willa.go("/onboarding")
        await sign_up(willa)
        await willa.at("/paywall")
        await pay(willa)
        await go_online(willa)
        await rings(willa, dora)
        await is_rung(willa, cora)
        await writes(willa, cora)
        await goes_on_after_a_reload(willa, cora)
        await willa.press("End")
        await willa.sees("Call ended")
        await looks_around(willa)


async def go_online(one: WebKit) -> None:
    await one.go("/room")
    await one.press("Go online")
    await one.sees("You are online")
    one.user_id = await one.run("return document.body.dataset.userId")


async def rings(willa: WebKit, dora: Visitor) -> None:
    """And cancels."""
    card = f"article[data-user-id='{dora.user_id}']"
    await until(lambda: willa.run("return Boolean(document.querySelector(arguments[0]))", card), bool)
    while not await willa.run("return document.querySelector(arguments[0]).offsetParent !== null", card):
        await willa.press("Next person")
    await willa.press("Talk to")
    await willa.sees("Ringing, for")
    await expect(dora.ring).to_contain_text("Willa")
    await sounds(willa)
    await willa.press("Cancel", "dialog[open]")
    await expect(dora.ring).to_be_hidden()


async def is_rung(willa: WebKit, cora: Visitor) -> None:
    await cora.find_card(willa)
    await cora.touch(cora.page.locator("#talk"))
    await willa.sees("would like to talk for")
    await sounds(willa)
    await willa.find("button", "Decline", "dialog[open]")
    await willa.press("Accept", "dialog[open]")
    await asyncio.gather(willa.at("/calls/.*"), cora.at("/calls/.*"))


async def sounds(one: WebKit) -> None:
    """The tone's AudioContext runs, and nothing asks for a tap."""
    await until(
        lambda: one.run("return contexts.map(({ state }) => state)"), lambda found: "running" in found
    )
    assert "Tap for sound" not in await one.text()


async def writes(willa: WebKit, cora: Visitor) -> None:
    await willa.press("Chat")
    await willa.fill("Message", "Hello from WebKit")
    await willa.press("Send")
    await cora.reads("Hello from WebKit")
    await cora.write("And hello to you")
    await willa.sees("And hello to you")
    await willa.press("Close chat")


async def goes_on_after_a_reload(willa: WebKit, cora: Visitor) -> None:
    await willa.run("location.reload()")
    flow = "return document.getElementById('call')?.dataset.flow"
    await until(lambda: willa.run(flow), bool)  # its script runs
    await willa.press("Chat")
    await willa.sees("Hello from WebKit")
    await willa.press("Close chat")
    await willa.press("Camera off")
    await cora.sees("Willa has the camera off")


async def looks_around(willa: WebKit) -> None:
    """Every other page of a member, without errors on its console."""
    await willa.go("/history")
    await willa.press("2 messages")
    await willa.sees("Hello from WebKit")
    for path in ("/settings", "/receipt", "/terms", "/privacy", "/"):
        await willa.go(path)
        await until(lambda: willa.run("return document.readyState"), lambda state: state == "complete")
        assert await willa.run("return document.scrollingElement.scrollWidth <= innerWidth"), path
