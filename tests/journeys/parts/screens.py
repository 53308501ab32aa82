"""Pictures of every page and state, to be looked at, and the one of the README.

python -m tests.journeys.parts.screens DIRECTORY [dark] [light]
python -m tests.journeys.parts.screens DIRECTORY --docs    puts docs/screenshot.png together
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.async_api import expect

from tests.journeys.conftest import free_port
from tests.journeys.people.portraits import LOOKS, compose, film, photo
from tests.journeys.people.visitor import Visitor
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import DESKTOP, PHONE, House, Loop, Stage, open_browsers, start_playwright

Scheme = Literal["dark", "light"]


class Album:
    """Where the pictures of one visitor go."""

    def __init__(self, home: Path, prefix: str) -> None:
        self.home, self.prefix, self.count = home, prefix, 0

    async def take(self, visitor: Visitor, name: str, *, whole: bool = True) -> None:
        self.count += 1
        path = self.home / f"{self.prefix}-{self.count:02}-{name}.png"
        await visitor.page.screenshot(path=path, full_page=whole)


async def joining(mira: Visitor, album: Album) -> None:
    await mira.go("/")
    await album.take(mira, "landing")
    await mira.press("Get started", within="main")
    await mira.at("/onboarding")
    await album.take(mira, "onboarding")
    await mira.press("Continue", within="main")
    await mira.sees("Not quite there yet")
    await album.take(mira, "onboarding-errors")
    await mira.fill_profile()
    await mira.sees("Nice to meet you")
    await album.take(mira, "selfie-idle")
    await mira.press("Open the camera")
    await expect(mira.page.get_by_role("button", name="Take the photo")).to_be_visible()
    await album.take(mira, "selfie-live")
    await mira.press("Take the photo")
    await album.take(mira, "selfie-taken")
    await mira.press("Use this photo")
    await mira.at("/paywall")
    await album.take(mira, "paywall")
    await mira.page.get_by_label("Have a friend’s code?").fill("0000")
    await mira.press("Use code")
    await expect(mira.page.locator("#invite-code-error")).to_be_visible()
    await album.take(mira, "paywall-wrong-code")
    await mira.press("Pay $0.01")
    await mira.at("/test-checkout/.*")
    await album.take(mira, "test-checkout")
    await mira.press("Pretend to pay $0.01")
    await mira.sees("You are in")
    await album.take(mira, "payment-success")


async def meeting(mira: Visitor, noah: Visitor, album: Album) -> None:
    await mira.go("/room")
    await album.take(mira, "room-offline")
    await mira.press("Go online")
    await mira.sees("You are online")
    await album.take(mira, "room-empty")
    await noah.go_online()
    await mira.find_card(noah)
    await album.take(mira, "room-card")
    await mira.invite(noah, "5 min")
    await expect(noah.ring).to_contain_text("Mira")
    await expect(mira.ring).to_contain_text("Ringing")
    await album.take(mira, "ring-out", whole=False)
    await album.take(noah, "ring-in", whole=False)
    await noah.answer("Accept")
    await asyncio.gather(mira.in_call(), noah.in_call())


async def talking(mira: Visitor, noah: Visitor, album: Album) -> None:
    await mira.sees_video(30)
    await album.take(mira, "call", whole=False)
    await mira.write("Hello! Where are you tonight?")
    await noah.reads("Hello! Where are you tonight?")
    await noah.write("On the roof. The sky is on fire, you should see it")
    await mira.reads("On the roof.")
    await album.take(mira, "call-chat", whole=False)
    await mira.press("Close chat")
    await mira.press("Devices")
    await album.take(mira, "call-devices", whole=False)
    await mira.press("Close devices")
    await noah.press("Close chat")
    await noah.press("Camera off")
    await noah.press("Mute")
    await mira.sees("Noah has the camera off")
    await album.take(mira, "call-peer-dark", whole=False)
    await elsewhere(noah, album)
    await noah.press("End")
    await expect(mira.page.locator("#call-ended")).to_be_visible()
    await album.take(mira, "ended")


async def elsewhere(noah: Visitor, album: Album) -> None:
    first = noah.page
    await noah.open_tab()
    await noah.go(first.url)
    await noah.in_call()
    second, noah.page = noah.page, first
    await noah.sees("This call is open in another tab")
    await album.take(noah, "call-elsewhere", whole=False)
    noah.page = second


async def after(mira: Visitor, noah: Visitor, album: Album) -> None:
    await mira.press("History", within="main")
    await mira.touch(mira.page.get_by_text("2 messages"))
    await album.take(mira, "history")
    await asyncio.gather(mira.go("/room"), noah.go_online())
    await mira.find_card(noah)
    await album.take(mira, "room-cooldown")
    for path, name in (
        ("/settings", "settings"),
        ("/nowhere", "404"),
        ("/terms", "terms"),
        ("/privacy", "privacy"),
    ):
        await mira.go(path)
        await album.take(mira, name)
    await noah.go("/history")
    await mira.go("/history")
    await album.take(mira, "history-closed")


async def helped(stage: Stage, scheme: Scheme, device: str, album: Album) -> None:
    """No camera at all: the selfie page's and the call page's help."""
    refused = 'Promise.reject(new DOMException("", "NotAllowedError"))'
    broken = f"navigator.mediaDevices.getUserMedia = () => {refused}"
    size = PHONE if device == "phone" else DESKTOP
    one = await stage.visitor("Olga", size, color_scheme=scheme, scripts=broken)
    other = await stage.visitor("Pete", size, color_scheme=scheme)
    await asyncio.gather(one.enrol(), other.enrol(gender="male"))
    await one.go("/onboarding?step=selfie")
    await one.press("Open the camera")
    await one.sees("Your camera is blocked.")
    await album.take(one, "selfie-blocked")
    await asyncio.gather(one.go_online(), other.go_online())
    await one.invite(other, "3 min")
    await other.answer("Decline")
    await one.sees("Pete cannot talk right now")
    await album.take(one, "ring-declined", whole=False)
    await album.take(other, "ring-toast", whole=False)
    third = await stage.visitor("Quentin", size, color_scheme=scheme)
    await third.enrol(gender="male")
    await third.go_online()
    await one.answer("Close")
    await one.invite(third, "3 min")
    await third.answer("Accept")
    await one.sees("Your camera and microphone are blocked")
    await album.take(one, "call-blocked", whole=False)
    await album.take(third, "call-connecting", whole=False)


async def shoot(stage: Stage, home: Path, device: str, scheme: Scheme) -> None:
    size = PHONE if device == "phone" else DESKTOP
    album = Album(home, f"{device}-{scheme}")
    mira = await stage.visitor("Mira", size, color_scheme=scheme)
    noah = await stage.visitor("Noah", size, color_scheme=scheme)
    await noah.enrol(gender="male", photo=photo("Noah"))
    await joining(mira, album)
    await meeting(mira, noah, album)
    await talking(mira, noah, album)
    await after(mira, noah, album)
    for visitor in (mira, noah):
        await visitor.leave()
    await helped(stage, scheme, device, album)


async def for_the_readme(stage: Stage, home: Path) -> None:
    """Noah's phone shows Mira's card; then a laptop shows their call."""
    mira = await stage.visitor("Mira", PHONE, color_scheme="dark")
    noah = await stage.visitor("Noah", DESKTOP, color_scheme="dark")
    await mira.enrol(photo=photo("Mira"))
    await noah.enrol(gender="male", photo=photo("Noah"))
    await asyncio.gather(mira.go_online(), noah.go_online())
    await mira.find_card(noah)
    await mira.page.screenshot(path=home / "room.png")
    await noah.ring_up(mira)
    await noah.sees_video(30)
    await noah.write("Hello! Where are you tonight?")
    await mira.write("On the roof. The sky is on fire, you should see it")
    await noah.reads("On the roof.")
    await expect(noah.page.locator("#call-quality")).to_have_attribute(
        "data-quality", "good", timeout=120_000
    )
    await noah.page.screenshot(path=home / "call.png")


def main(directory: str, *wanted: str) -> None:
    home = Path(directory)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        server = ServerProcess(Path(scratch), free_port())
        server.start()
        loop = Loop()
        playwright = loop.run(start_playwright())
        films = [film(name, Path(scratch)) for name in LOOKS]
        browsers = loop.run(open_browsers(playwright, *films))
        try:
            house = House(server, loop, browsers, playwright)
            if "--docs" in wanted:
                loop.run(for_the_readme(Stage(house), home), 300)
                compose(home)
                return
            for scheme in wanted or ("dark", "light"):
                for device in ("phone", "desktop"):
                    stage = Stage(house)
                    loop.run(shoot(stage, home, device, "light" if scheme == "light" else "dark"), 300)
                    loop.run(stage.clear())
        finally:
            for browser in browsers:
                loop.run(browser.close())
            loop.run(playwright.stop())
            loop.close()
            server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
