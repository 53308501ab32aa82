"""One server and two Chromium processes for all journeys; a clean stage for each.

A journey fails for anything on the visitors' consoles, an uncaught error, a breach of the content policy, a
request that failed, and an error in the server's log.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tornado.testing import bind_unused_port

from tests.journeys.server_process import ServerProcess
from tests.journeys.stage import House, Loop, Stage, open_browsers, start_playwright
from tests.support.billing.fake_stripe import StripeStandIn


def free_port() -> int:
    socket, port = bind_unused_port()
    socket.close()
    return port


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("journeys"), free_port())
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def flags() -> list[str]:
    """The arguments of the two browsers of a folder, besides those of all."""
    return []


@pytest.fixture(scope="session")
def house(server: ServerProcess, flags: list[str]) -> Iterator[House]:
    loop = Loop()
    playwright = loop.run(start_playwright())
    browsers = loop.run(open_browsers(playwright, flags, flags))
    yield House(server, loop, browsers, playwright)
    for browser in browsers:
        loop.run(browser.close())
    loop.run(playwright.stop())
    loop.close()


@pytest.fixture
def stage(house: House) -> Iterator[Stage]:
    before = len(house.server.faults)
    stage = Stage(house)
    yield stage
    troubles = house.loop.run(stage.clear()) + house.server.faults[before:][:5]
    assert not troubles, "\n".join(troubles)


@pytest.fixture(scope="module")
def bank(house: House) -> Iterator[StripeStandIn]:
    async def start() -> StripeStandIn:
        return StripeStandIn()

    stripe = house.loop.run(start())
    yield stripe
    house.loop.run(stripe.close())
