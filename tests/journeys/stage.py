"""Two Chromium processes and the loop they are driven from.

Playwright lives on a thread with a loop of its own, so that journeys are coroutines, may walk side by side
(`asyncio.gather`), and never meet the loop of pytest-tornado. A journey test is `@journey async def …`.
A Chromium that is missing is a failure, never a skip.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.async_api import Browser, Playwright, ViewportSize, async_playwright, expect

from tests.journeys.people.visitor import Visitor
from tests.journeys.server_process import ServerProcess

Result = TypeVar("Result")
CHROMIUM = Path("/usr/bin/chromium")
JOURNEY_SECONDS = 240
PATIENCE_MS = 40_000  # for one step of a browser, at a load of eight too
FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=fps=10",
    # Host candidates by address: mDNS names need a multicast network, which a container has not.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--host-resolver-rules=MAP insecure.test 127.0.0.1",
]  # fmt: skip


@dataclass(frozen=True)
class Device:
    """A device."""

    size: ViewportSize
    is_phone: bool = False


DESKTOP = Device({"width": 1280, "height": 800})
PHONE = Device({"width": 390, "height": 844}, is_phone=True)


class Loop:
    """A loop on a thread; from any other, `run` waits for a coroutine and `begin` lets it go ahead."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="journeys", daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, Result], seconds: float = JOURNEY_SECONDS) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, seconds), self._loop)

    def run(self, work: Coroutine[Any, Any, Result], seconds: float = JOURNEY_SECONDS) -> Result:
        return self.begin(work, seconds).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@dataclass(frozen=True)
class House:
    """Everything that the journeys share."""

    server: ServerProcess
    loop: Loop
    browsers: list[Browser]
    playwright: Playwright


@dataclass
class Stage:
    """The visitors; `clear` closes their browsers and returns the errors of their pages."""

    house: House
    visitors: list[Visitor] = field(default_factory=list)

    @property
    def server(self) -> ServerProcess:
        return self.house.server

    async def visitor(
        self, name: str, device: Device = DESKTOP, *, may_use: tuple[str, ...] = ("camera", "microphone"),
        scripts: str = "", **options: Any,
    ) -> Visitor:  # fmt: skip
        """A new visitor with their own profile, alternately in one and the other browser process."""
        browser = self.house.browsers[len(self.visitors) % len(self.house.browsers)]
        context = await browser.new_context(**{
            "base_url": self.server.url, "viewport": device.size, "is_mobile": device.is_phone,
            "has_touch": device.is_phone, "device_scale_factor": 2 if device.is_phone else 1,
            "permissions": list(may_use), "reduced_motion": "reduce",
        } | options)  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(name, context, device.is_phone, self.server.url)
        self.visitors.append(visitor)
        await visitor.open_tab(scripts)
        return visitor

    async def clear(self) -> list[str]:
        leaving, self.visitors = self.visitors, []
        for visitor in leaving:
            await visitor.leave()
        return [f"{visitor.name}: {trouble}" for visitor in leaving for trouble in visitor.troubles]


async def open_browsers(playwright: Playwright, *more: list[str]) -> list[Browser]:
    """Two, or one for each list of further flags."""
    return [await open_browser(playwright, FLAGS + flags) for flags in more or ([], [])]


async def open_browser(playwright: Playwright, flags: list[str], program: Path = CHROMIUM) -> Browser:
    expect.set_options(timeout=PATIENCE_MS)
    return await playwright.chromium.launch(
        executable_path=program, args=flags, chromium_sandbox=False, timeout=60_000
    )


async def start_playwright() -> Playwright:
    return await async_playwright().start()


def journey(
    test: Callable[..., Awaitable[None]] | None = None, *, seconds: float = JOURNEY_SECONDS
) -> Callable[..., Any]:
    """A test in real browsers; needs the fixture `stage`. `@journey(seconds=…)` for a long one."""
    if test is None:
        return functools.partial(journey, seconds=seconds)

    @pytest.mark.journey
    @functools.wraps(test)
    def run(*, stage: Stage, **fixtures: Any) -> None:
        async def work() -> None:
            await test(stage=stage, **fixtures)

        stage.house.loop.run(work(), seconds)

    return run


async def two_talking(stage: Stage, caller: str, callee: str, length: str = "5 min") -> list[Visitor]:
    """[caller, callee], both members, in a call with each other."""
    pair = [await stage.visitor(caller), await stage.visitor(callee)]
    await asyncio.gather(*(visitor.enrol() for visitor in pair))
    await asyncio.gather(*(visitor.go_online() for visitor in pair))
    await pair[0].ring_up(pair[1], length)
    return pair
