"""A call survives a reload of either side, a restart and a crash of the server; a second tab takes the seat;
the call is stored once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from playwright.async_api import expect

from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import Stage, journey, two_talking

OUTAGE = r"WebSocket connection|ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE"


@journey
async def test_reload_of_either_side(stage: Stage) -> None:
    pair = await two_talking(stage, "Emma", "Finn")
    call_id = pair[0].call_id
    for visitor in pair:
        await visitor.page.reload()
        await asyncio.gather(*(other.in_call() for other in pair))
        await asyncio.gather(*(other.sees_video() for other in pair))
        assert visitor.call_id == call_id
        await same_clock(pair)
    await hang_up(*pair)


@pytest.mark.parametrize(
    "fall", [pytest.param(ServerProcess.stop, marks=pytest.mark.prove), ServerProcess.kill]
)
@journey
async def test_the_server_falls_and_comes_back(stage: Stage, fall: Callable[[ServerProcess], None]) -> None:
    """Video continues without the server; the page reconnects by itself."""
    pair = await two_talking(stage, f"Gwen {fall.__name__}", f"Hugo {fall.__name__}")
    for visitor in pair:
        visitor.expect_trouble(OUTAGE)
    left, asked = await pair[0].remaining_ms(), time.monotonic()
    await asyncio.to_thread(fall, stage.server)
    await asyncio.gather(*(visitor.sees_video(20) for visitor in pair))
    await asyncio.to_thread(stage.server.start)
    await asyncio.gather(*(back(visitor) for visitor in pair))
    await same_clock(pair)
    elapsed = (time.monotonic() - asked) * 1000
    assert abs(left - elapsed - await pair[1].remaining_ms()) < 2000
    await pair[0].write("Still here?")
    await pair[1].reads("Still here?")
    await pair[1].press("Close chat")
    await hang_up(*pair)


async def back(visitor: Visitor) -> None:
    """The socket is open again, the clock runs, and nothing on the screen is wrong."""
    await expect(visitor.page.locator("#call-words")).to_have_text("")
    await visitor.in_call()
    await visitor.sees_video()


@journey
async def test_a_second_tab_takes_the_seat(stage: Stage) -> None:
    ivy, jack = await two_talking(stage, "Ivy", "Jack")
    first = ivy.page
    second = await ivy.open_tab()
    await second.goto(first.url)
    await expect(first.locator("#call-elsewhere")).to_contain_text("This call is open in another tab")
    await ivy.in_call()
    await asyncio.gather(ivy.sees_video(), jack.sees_video())
    ivy.page = first
    await ivy.press("Take it back")
    await expect(second.locator("#call-elsewhere")).to_be_visible()
    await asyncio.gather(ivy.in_call(), jack.in_call())
    await asyncio.gather(ivy.sees_video(), jack.sees_video())
    await hang_up(jack, ivy)


async def same_clock(pair: list[Visitor]) -> None:
    left = await asyncio.gather(*(visitor.remaining_ms() for visitor in pair))
    assert abs(left[0] - left[1]) < 1000


async def hang_up(first: Visitor, other: Visitor) -> None:
    """One side hangs up; both see it, and both histories have the call once."""
    await first.press("End")
    for visitor in (first, other):
        await expect(visitor.page.locator("#call-ended")).to_be_visible()
        await visitor.press("History", within="main")
        await expect(visitor.page.locator(".call-row")).to_have_count(1)
        length = await visitor.page.locator(".call-row-length .clock").inner_text()
        assert await until(visitor.page.locator(".call-row").count, lambda count: count == 1)
        assert length != "0:00"
