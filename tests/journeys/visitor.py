"""Somebody in front of a browser: what they do on each page, in the words of the product.

Only what a person can see and press is used; the numbers of the call come from `window.napalmCall`, which is
there for diagnosis. `troubles` collects everything that must not happen on a screen.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import zxingcpp
from PIL import Image
from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

Answer = TypeVar("Answer")
WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`content policy: ${event.violatedDirective} stopped ${event.blockedURI}`));
"""


async def until(
    ask: Callable[[], Awaitable[Answer]], fits: Callable[[Answer], bool], seconds: float = 20
) -> Answer:
    """Asks until the answer fits. Raises AssertionError with the last answer."""
    answer = None
    try:
        async with asyncio.timeout(seconds):
            while not fits(answer := await ask()):
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"still {answer!r} after {seconds} s") from None
    return answer


class Visitor:
    page: Page

    def __init__(self, name: str, context: BrowserContext, is_phone: bool) -> None:
        self.name = name
        self.context = context
        self.is_phone = is_phone
        self.troubles: list[str] = []
        self.expected: list[re.Pattern[str]] = []
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._note(f"uncaught {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    # What must not happen.

    def expect_trouble(self, pattern: str) -> None:
        """This journey brings it about on purpose."""
        self.expected.append(re.compile(pattern))
        self.troubles = [trouble for trouble in self.troubles if not re.search(pattern, trouble)]

    def _note(self, trouble: str) -> None:
        if not any(pattern.search(trouble) for pattern in self.expected):
            self.troubles.append(trouble)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page went on before the answer came
            self._note(f"{request.method} {request.url} failed: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500 or response.url.endswith("/csp-report"):
            self._note(f"{response.status} {response.url}")

    # Coming and going.

    async def open_tab(self, scripts: str = "") -> Page:
        self.page = await self.context.new_page()
        await self.page.add_init_script(WATCH_POLICY + scripts)
        return self.page

    async def go(self, path: str) -> None:
        await self.page.goto(path)

    async def press(self, name: str, *, within: str = "body") -> None:
        """The button or link of that name, by finger or mouse."""
        root = self.page.locator(within)
        found = root.get_by_role("button", name=name, exact=True).or_(
            root.get_by_role("link", name=name, exact=True)
        )
        await self.touch(found.filter(visible=True).first)

    async def touch(self, target: Locator) -> None:
        await (target.tap() if self.is_phone else target.click())

    async def choose(self, option: str, *, within: str = "body") -> None:
        radio = self.page.locator(within).get_by_role("radio", name=option, exact=True).filter(visible=True)
        await self.touch(radio)
        await expect(radio).to_be_checked()

    async def sees(self, text: str) -> None:
        await expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    async def at(self, path: str) -> None:
        """Waits until the address is this path (a pattern)."""
        await self.page.wait_for_url(re.compile(rf"^https?://[^/]+{path}$"))

    async def leave(self) -> None:
        await self.context.close()

    # Signing up.

    async def fill_profile(self, gender: str = "A woman") -> None:
        await self.page.get_by_label("Your name").fill(self.name)
        await self.choose(gender)
        await self.page.get_by_label("I am 18 or older").check()
        await self.press("Continue", within="main")

    async def take_selfie(self, *, retake: bool = False) -> None:
        await self.press("Open the camera")
        await self.press("Take the photo")
        if retake:
            await self.press("Take another")
            await self.press("Take the photo")
        await self.press("Use this photo")

    async def pay(self) -> None:
        await self.press("Pay $0.01")
        await self.at("/test-checkout/.*")
        await self.sees("This is a test checkout")
        await self.press("Pretend to pay $0.01")
        await self.at(r"/payment-success\?session_id=.*")
        await self.sees(f"You are in, {self.name}")

    async def join(self, *, gender: str = "A woman") -> None:
        """From nothing to the success page, by paying."""
        await self.go("/onboarding")
        await self.fill_profile(gender)
        await self.take_selfie()
        await self.pay()

    async def scanned_invite(self) -> str:
        """What a phone's camera reads off the downloaded QR code."""
        async with self.page.expect_download() as download:
            await self.press("Download QR")
        picture = Image.open(io.BytesIO((await (await download.value).path()).read_bytes()))
        (code,) = zxingcpp.read_barcodes(picture.convert("L"))
        return code.text

    # The room and the ring.

    async def go_online(self) -> None:
        await self.go("/room")
        await self.press("Go online")
        await self.sees("You are online")

    def card(self, name: str) -> Locator:
        return self.page.locator(f'article[data-name="{name}"]')

    async def find_card(self, name: str) -> Locator:
        """Turns the deck until this person's card is on top."""
        card = self.card(name)
        await expect(card).to_have_count(1)
        while not await card.is_visible():
            await self.touch(self.page.get_by_role("button", name="Next person"))
        return card

    async def invite(self, name: str, length: str) -> None:
        await self.find_card(name)
        await self.choose(length, within="#lengths")
        await self.touch(self.page.locator("#talk"))

    async def answer(self, button: str) -> None:
        await self.touch(self.ring.get_by_role("button", name=button, exact=True))

    @property
    def ring(self) -> Locator:
        return self.page.locator("dialog#ring")

    # The call.

    @property
    def call_id(self) -> str:
        return self.page.url.rsplit("/", 1)[-1]

    async def in_call(self) -> None:
        await self.at(r"/calls/[0-9a-f-]{36}")
        await expect(self.page.locator("#call")).to_have_attribute("data-state", "running")
        await expect(self.page.locator("#call")).to_have_attribute("data-flow", "yes")

    async def stats(self) -> dict[str, Any]:
        numbers = await self.page.evaluate("window.napalmCall?.stats()")
        return dict(numbers or {})

    async def frames(self) -> int:
        """Pictures decoded so far, as the connection counts them."""
        return int((await self.stats()).get("framesDecoded", 0))

    async def shown_frames(self) -> int:
        """Pictures of the other that the page's <video> was given."""
        return int(await self.page.evaluate(
            "document.getElementById('remote-video').getVideoPlaybackQuality().totalVideoFrames"
        ))  # fmt: skip

    async def sees_video(self, more: int = 10) -> None:
        """Real video: the counts of decoded and of shown pictures grow."""
        for count in (self.frames, self.shown_frames):
            before = await count()
            await until(count, lambda now, before=before: now >= before + more)

    async def remaining_ms(self) -> int:
        return int(await self.page.locator("#call").get_attribute("data-remaining") or "0")

    async def write(self, text: str) -> None:
        chat = self.page.locator("#chat")
        if not await chat.is_visible():
            await self.touch(self.page.locator("#open-chat"))
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.touch(self.page.get_by_role("button", name="Send"))

    async def reads(self, text: str) -> None:
        """In the chat; opens it if need be."""
        if not await self.page.locator("#chat").is_visible():
            await self.touch(self.page.locator("#open-chat"))
        await expect(self.page.locator(".chat-log").get_by_text(text)).to_be_visible()
