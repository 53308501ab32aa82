"""Pictures of every page and state, to be looked at: `python -m tests.journeys.screens DIRECTORY [dark|light]`.

Also puts together docs/screenshot.png with `python -m tests.journeys.screens DIRECTORY --docs`. The people in them are drawn.
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter
from playwright.async_api import expect

from tests.conftest import ROOT
from tests.journeys.conftest import free_port
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import DESKTOP, PHONE, House, Loop, Stage, open_browsers, start_playwright
from tests.journeys.visitor import Visitor

Scheme = Literal["dark", "light"]
LOOKS = {  # wall above, wall below, skin, hair, clothes
    "Mira": ("#6b3f3a", "#2a1a24", "#e7b48f", "#2b1a17", "#c65f3a"),
    "Noah": ("#3d5a66", "#182430", "#c98d66", "#1d1512", "#e6d9c3"),
}


def portrait(name: str, width: int, height: int, sway: float = 0.0) -> Image.Image:
    """Somebody in a warm room, drawn large and small alike."""
    above, below, skin, hair, clothes = LOOKS[name]
    sky = Image.new("RGB", (1, 2))
    sky.putpixel((0, 0), _rgb(above))
    sky.putpixel((0, 1), _rgb(below))
    picture = sky.resize((width, height), Image.Resampling.BICUBIC)
    pen, unit, middle = ImageDraw.Draw(picture), height / 10, width / 2 + sway * width
    _ellipse(pen, width * 0.85, unit * 2, unit * 1.1, unit * 1.1, "#ffcf9e")
    picture = picture.filter(ImageFilter.GaussianBlur(unit / 3))
    pen = ImageDraw.Draw(picture)
    _ellipse(pen, middle, unit * 11, unit * 3.9, unit * 3.6, clothes)
    pen.rounded_rectangle(
        (middle - unit * 0.75, unit * 5.6, middle + unit * 0.75, unit * 8.2), unit * 0.6, skin
    )
    _ellipse(pen, middle, unit * 4.1, unit * 2.0, unit * 2.35, hair)
    if name == "Mira":
        pen.rounded_rectangle(
            (middle - unit * 2.0, unit * 4, middle + unit * 2.0, unit * 7.2), unit * 0.9, hair
        )
        pen.rounded_rectangle(
            (middle - unit * 0.7, unit * 5.6, middle + unit * 0.7, unit * 8), unit * 0.6, skin
        )
    _ellipse(pen, middle, unit * 4.6, unit * 1.5, unit * 1.9, skin)
    for side in (-1, 1):
        _ellipse(pen, middle + side * unit * 0.6, unit * 4.4, unit * 0.14, unit * 0.17, hair)
    pen.arc(
        (middle - unit * 0.7, unit * 4.8, middle + unit * 0.7, unit * 5.8),
        25,
        155,
        "#a8433a",
        round(unit / 8),
    )
    return picture.filter(ImageFilter.GaussianBlur(unit / 40))


def _rgb(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _ellipse(pen: ImageDraw.ImageDraw, x: float, y: float, across: float, down: float, colour: str) -> None:
    pen.ellipse((x - across, y - down, x + across, y + down), colour)


def film(name: str, home: Path) -> list[str]:
    """The Chromium flag of a camera that sees this person."""
    path = home / f"{name}.mjpeg"
    with path.open("wb") as out:
        for step in range(20):
            portrait(name, 1280, 720, abs(step - 10) / 400).save(out, "JPEG", quality=88)
    return [f"--use-file-for-fake-video-capture={path}"]


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
    await mira.find_card("Noah")
    await album.take(mira, "room-card")
    await mira.invite("Noah", "5 min")
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
    await mira.find_card("Noah")
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
    broken = """navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"))"""
    size = PHONE if device == "phone" else DESKTOP
    one = await stage.visitor("Olga", size, color_scheme=scheme, scripts=broken)
    other = await stage.visitor("Pete", size, color_scheme=scheme)
    await asyncio.gather(one.enrol(), other.enrol(gender="male"))
    await one.go("/onboarding?step=selfie")
    await one.press("Open the camera")
    await one.sees("The camera is blocked.")
    await album.take(one, "selfie-blocked")
    await asyncio.gather(one.go_online(), other.go_online())
    await one.invite("Pete", "3 min")
    await other.answer("Decline")
    await one.sees("Pete cannot talk right now")
    await album.take(one, "ring-declined", whole=False)
    await album.take(other, "ring-toast", whole=False)
    third = await stage.visitor("Quentin", size, color_scheme=scheme)
    await third.enrol(gender="male")
    await third.go_online()
    await one.answer("Close")
    await one.invite("Quentin", "3 min")
    await third.answer("Accept")
    await one.sees("Your camera and microphone are blocked")
    await album.take(one, "call-blocked", whole=False)
    await album.take(third, "call-connecting", whole=False)


async def shoot(stage: Stage, home: Path, device: str, scheme: Scheme) -> None:
    size = PHONE if device == "phone" else DESKTOP
    album = Album(home, f"{device}-{scheme}")
    mira = await stage.visitor("Mira", size, color_scheme=scheme)
    noah = await stage.visitor("Noah", size, color_scheme=scheme)
    await noah.enrol(gender="male", photo=_jpeg("Noah"))
    await joining(mira, album)
    await meeting(mira, noah, album)
    await talking(mira, noah, album)
    await after(mira, noah, album)
    for visitor in (mira, noah):
        await visitor.leave()
    await helped(stage, scheme, device, album)


def _jpeg(name: str) -> bytes:
    out = io.BytesIO()
    portrait(name, 800, 800).save(out, "JPEG", quality=90)
    return out.getvalue()


async def for_the_readme(stage: Stage, home: Path) -> None:
    """Noah's phone shows Mira's card; then a laptop shows their call."""
    mira = await stage.visitor("Mira", PHONE, color_scheme="dark")
    noah = await stage.visitor("Noah", DESKTOP, color_scheme="dark")
    await mira.enrol(photo=_jpeg("Mira"))
    await noah.enrol(gender="male", photo=_jpeg("Noah"))
    await asyncio.gather(mira.go_online(), noah.go_online())
    await mira.find_card("Noah")
    await mira.page.screenshot(path=home / "room.png")
    await noah.ring_up(mira)
    await noah.sees_video(60)
    await noah.page.mouse.move(5, 5)
    await noah.page.screenshot(path=home / "call.png")


def compose(home: Path) -> None:
    call = Image.open(home / "call.png").convert("RGB").resize((1120, 700), Image.Resampling.LANCZOS)
    room = Image.open(home / "room.png").convert("RGB").resize((300, 649), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (1280, 800), "#0b0a10")
    for picture, place, corner in ((call, (40, 40), 14), (room, (940, 125), 26)):
        mask = Image.new("L", picture.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *picture.size), corner, 255)
        frame = Image.new("RGB", (picture.width + 6, picture.height + 6), "#3a3341")
        edge = Image.new("L", frame.size, 0)
        ImageDraw.Draw(edge).rounded_rectangle((0, 0, *frame.size), corner + 3, 255)
        sheet.paste(frame, (place[0] - 3, place[1] - 3), edge)
        sheet.paste(picture, place, mask)
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
        ROOT / "docs" / "screenshot.png", optimize=True
    )


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
            stage = Stage(House(server, loop, browsers))
            if "--docs" in wanted:
                loop.run(for_the_readme(stage, home), 300)
                compose(home)
                return
            for scheme in wanted or ("dark", "light"):
                for device in ("phone", "desktop"):
                    loop.run(shoot(stage, home, device, "light" if scheme == "light" else "dark"), 300)
        finally:
            for browser in browsers:
                loop.run(browser.close())
            loop.run(playwright.stop())
            loop.close()
            server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
