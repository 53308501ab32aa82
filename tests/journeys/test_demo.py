"""One visitor and the robots of `server.py demo`: from the landing page to the history with a robot."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import free_port
from tests.journeys.people.screen import until
from tests.journeys.people.visitor import Visitor
from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import PHONE, House, Stage, journey
from tests.support.pace import within

# Time for one person, from the landing page to the history.
MOST_SECONDS = 90
# A directory for screenshots, to be looked at.
LOOK_AT = os.environ.get("LOOK_AT")


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("demo"), free_port(), "demo")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def stage(house: House, demo: ServerProcess) -> Iterator[Stage]:
    """One Chromium in front of the demo."""
    stage = Stage(replace(house, server=demo, browsers=house.browsers[:1]))
    yield stage
    troubles = house.loop.run(stage.clear()) + demo.faults[:5]
    assert not troubles, "\n".join(troubles)


def online(demo: ServerProcess) -> int:
    with urllib.request.urlopen(f"{demo.url}/stats/live", timeout=5) as answer:
        return int(json.load(answer)["onlineUsers"])


@journey
async def test_landing_to_history_with_a_robot(stage: Stage) -> None:
    async def robots() -> int:
        return online(stage.server)

    await until(robots, lambda number: number >= 6)
    ada = await stage.visitor("Ada", PHONE)
    began = time.monotonic()
    await ada.go("/")
    await ada.press("Get started")
    await ada.fill_profile()
    await ada.take_selfie()
    await ada.pay()
    await ada.go_online()
    name = await first_robot(ada)
    await ada.choose("1 min", within="#lengths")
    await ada.touch(ada.page.locator("#talk"))
    await expect(ada.ring.locator(".badge-robot")).to_be_visible()
    await look(ada, "demo-ring")
    await ada.in_call()
    await ada.sees_video(more=10)
    await ada.reads(f"I am {name}, a robot of this demo.")
    await ada.write("Do you like the sea?")
    await ada.reads("A good question for a person.")
    await look(ada, "demo-call")
    await ada.press("End")
    await expect(ada.page.locator("#call-ended")).to_be_visible()
    await ada.press("History", within="main")
    await expect(ada.page.get_by_role("heading", name=name)).to_be_visible()
    assert time.monotonic() - began < within(MOST_SECONDS)


async def first_robot(visitor: Visitor) -> str:
    """The name on the first card, which says that it is a robot."""
    card = visitor.page.locator("article.person-card:visible")
    await expect(card.locator(".badge-robot")).to_have_text("Robot")
    await expect(card.locator("img")).to_be_visible()
    await look(visitor, "demo-card")
    return await card.get_attribute("data-name") or ""


async def look(visitor: Visitor, name: str) -> None:
    if LOOK_AT:
        await visitor.page.screenshot(path=Path(LOOK_AT) / f"{name}.png")
