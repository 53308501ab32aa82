"""Two Firefox processes: one with a mouse, one with a touch screen.

One window each: Firefox makes getUserMedia and enumerateDevices of a window without focus wait.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser

from tests.journeys.engines.firefox import open_firefox
from tests.journeys.stage import House


@pytest.fixture(scope="module")
def firefox(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from opened(house, tmp_path_factory, has_fingers=False)


@pytest.fixture(scope="module")
def firefox_phone(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from opened(house, tmp_path_factory, has_fingers=True)


def opened(house: House, places: pytest.TempPathFactory, *, has_fingers: bool) -> Iterator[Browser]:
    work = open_firefox(house.playwright, places.mktemp("firefox"), has_fingers=has_fingers)
    browser = house.loop.run(work)
    yield browser
    house.loop.run(browser.close())
