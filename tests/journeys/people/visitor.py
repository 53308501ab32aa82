"""A visitor with a browser: the actions on each page, in the product's words.

Only what a person can see and press is used; the numbers of the call come from `window.napalmCall`, which is
there for diagnosis. `enrol` is the exception: it sends the forms of signing up without showing them.
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urljoin

import zxingcpp
from PIL import Image
from playwright.async_api import APIResponse, FilePayload, Locator, expect

from tests.conftest import jpeg
from tests.journeys.people.screen import Screen, until

# Firefox does not count the frames of a call in getVideoPlaybackQuality.
SHOWN = """(video) => {
  const next = () => { video.shown = (video.shown ?? -1) + 1; video.requestVideoFrameCallback(next); };
  if (video.shown === undefined) next();
  return video.shown;
}"""


class Visitor(Screen):
    user_id: str | None = None

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

    async def choose_photo(self) -> None:
        photo: FilePayload = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": jpeg(640, 640)}
        await self.page.get_by_label("Photo (JPEG, PNG or WebP").set_input_files(photo)

    async def pay(self) -> None:
        await self.press("Pay $0.01")
        await self.at("/test-checkout/.*")
        await self.sees("This is a test checkout")
        await self.press("Pretend to pay $0.01")
        await self.at(r"/payment-success\?session_id=.*")
        await self.sees(f"You are in, {self.name}")

    async def join(self, *, gender: str = "A woman") -> None:
        """Signs up and pays, up to the success page."""
        await self.go("/onboarding")
        await self.fill_profile(gender)
        await self.take_selfie()
        await self.pay()

    async def begin(self, *, gender: str = "female", photo: bytes = b"") -> None:
        """A guest with a selfie, as the forms would have made them."""
        await self._send("/auth/guest", name=self.name, gender=gender, adult="true")
        selfie = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": photo or jpeg(640, 640)}
        await self._send("/media/selfie", selfie=selfie)

    async def enrol(self, *, gender: str = "female", photo: bytes = b"") -> None:
        """And paid."""
        await self.begin(gender=gender, photo=photo)
        checkout = await self._send("/payment/create-checkout")
        await self._send(checkout.url, action="pay")

    async def _send(self, url: str, **fields: Any) -> APIResponse:
        form = {"_xsrf": await self._token()} | fields
        answer = await self.context.request.post(urljoin(self.server_url, url), multipart=form)
        assert answer.ok, f"{url}: {answer.status}"
        return answer

    async def _token(self) -> str:
        page = await self.context.request.get(urljoin(self.server_url, "/terms"))
        found = re.search(r'name="xsrf" content="([^"]+)"', await page.text())
        assert found is not None
        return found[1]

    async def move_to(self, host: str) -> None:
        """Copies the session to another host name of the same site."""
        for cookie in await self.context.cookies(self.server_url):
            copy = {"name": cookie["name"], "value": cookie["value"], "domain": host, "path": "/"}
            await self.context.add_cookies([copy])

    async def scanned_invite(self) -> str:
        """The content of the downloaded QR code, as a phone reads it."""
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
        await expect(self.page.locator("#online-count")).not_to_have_text("0 people online")
        self.user_id = await self.page.locator("body").get_attribute("data-user-id")

    def card(self, other: Visitor) -> Locator:
        """By the person, once they are in the room: names are not unique."""
        return self.page.locator(f'article[data-user-id="{other.user_id}"]')

    async def find_card(self, other: Visitor) -> Locator:
        """Turns the card stack until this person's card is on top."""
        card = self.card(other)
        try:
            await expect(card).to_have_count(1)
        except AssertionError as error:
            raise AssertionError(f"{error}\nThe room says: {await self._told_by_the_room()}") from error
        while not await card.is_visible():
            await self.touch(self.page.get_by_role("button", name="Next person"))
        return card

    async def _told_by_the_room(self) -> str:
        room = self.page.locator("#room")
        ids = await room.locator("article").evaluate_all("cards => cards.map(card => card.dataset.userId)")
        cursor = await self.page.locator("#queue-cursor").evaluate("one => one.outerHTML")
        return f"{await room.inner_text()} {ids} {cursor}"

    async def invite(self, other: Visitor, length: str) -> None:
        await self.find_card(other)
        await self.choose(length, within="#lengths")
        await self.touch(self.page.locator("#talk"))

    async def answer(self, button: str) -> None:
        await self.touch(self.ring.get_by_role("button", name=button, exact=True))

    @property
    def ring(self) -> Locator:
        return self.page.locator("dialog#ring")

    async def ring_up(self, callee: Visitor, length: str = "5 min") -> None:
        """Calls someone, who answers; both see each other."""
        await self.invite(callee, length)
        await callee.answer("Accept")
        await asyncio.gather(self.in_call(), callee.in_call())

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
        """Frames decoded so far, by the statistics of the connection."""
        return int((await self.stats()).get("framesDecoded", 0))

    async def shown_frames(self) -> int:
        """Frames of the peer that the page's <video> has shown since the first query."""
        return int(await self.page.locator("#remote-video").evaluate(SHOWN))

    async def sees_video(self, more: int = 10) -> None:
        """Real video: the numbers of decoded and of shown frames grow."""
        await asyncio.gather(*(self._grows(count, more) for count in (self.frames, self.shown_frames)))

    async def _grows(self, count: Callable[[], Awaitable[int]], more: int) -> None:
        least = await count() + more
        await until(count, lambda now: now >= least)

    async def remaining_ms(self) -> int:
        return int(await self.page.locator("#call").get_attribute("data-remaining") or "0")

    async def write(self, text: str) -> None:
        chat = self.page.locator("#chat")
        if not await chat.is_visible():
            await self.touch(self.page.locator("#open-chat"))
        await self.page.get_by_label("Message", exact=True).fill(text)
        await self.touch(self.page.get_by_role("button", name="Send"))

    async def reads(self, text: str) -> None:
        """Sends a chat line; opens the chat if necessary."""
        if not await self.page.locator("#chat").is_visible():
            await self.touch(self.page.locator("#open-chat"))
        await expect(self.page.locator(".chat-log").get_by_text(text)).to_be_visible()
