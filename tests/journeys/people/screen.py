"""A browser profile with a screen: pressing what is shown, seeing what is said, and everything that must not
happen: console errors and warnings, uncaught errors, failed requests, answers of 5xx, content-policy reports.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, expect

from tests.support import secret_leaks

Answer = TypeVar("Answer")
WATCH_POLICY = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`content policy: ${event.violatedDirective} stopped ${event.blockedURI}`));
"""


async def until(
    ask: Callable[[], Awaitable[Answer]], fits: Callable[[Answer], bool], seconds: float = 40
) -> Answer:
    """Polls until the condition holds. Raises: AssertionError with the last value."""
    deadline = time.monotonic() + seconds
    while not fits(answer := await ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        await asyncio.sleep(0.005)  # a condition that waits for nothing would stop the messages it waits for
    return answer


class Screen:
    page: Page

    def __init__(self, name: str, context: BrowserContext, is_phone: bool, server_url: str) -> None:
        self.name = name
        self.context = context
        self.is_phone = is_phone
        self.server_url = server_url
        self.troubles: list[str] = []
        self.expected: list[re.Pattern[str]] = []
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._note(f"uncaught {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    # What must not happen.

    def expect_trouble(self, pattern: str) -> None:
        """Errors that this journey causes on purpose."""
        self.expected.append(re.compile(pattern))
        self.troubles = [trouble for trouble in self.troubles if not re.search(pattern, trouble)]

    def _note(self, trouble: str) -> None:
        if not any(pattern.search(trouble) for pattern in self.expected):
            self.troubles.append(trouble)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before the answer arrived
            self._note(f"{request.method} {request.url} failed: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500 or response.url.endswith("/csp-report"):
            self._note(f"{response.status} {response.url}")

    # Navigation.

    async def open_tab(self, scripts: str = "") -> Page:
        self.page = await self.context.new_page()
        await self.page.add_init_script(WATCH_POLICY + scripts)
        return self.page

    async def go(self, path: str) -> None:
        await self.page.goto(path)

    async def press(self, name: str, *, within: str = "body") -> None:
        """Presses the button or link of that name, by touch or mouse."""
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
        """Waits until the address is this path (a pattern) and its page is there, pictures or not."""
        await self.page.wait_for_url(re.compile(rf"^https?://[^/]+{path}$"), wait_until="domcontentloaded")

    async def leave(self) -> None:
        for cookie in await self.context.cookies():
            secret_leaks.say("cookie", cookie.get("value"))
        await self.context.close()
