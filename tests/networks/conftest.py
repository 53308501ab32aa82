"""A neighbourhood with the site and coturn for all tests, and a browser in each of its two homes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import stage
from tests.journeys.stage import CHROMIUM, FLAGS, House, Loop, open_browser, start_playwright
from tests.machines.servers import Pair
from tests.networks.neighbourhood import Home, Neighbourhood
from tests.networks.site import HOST, PORT, PublicCoturn, PublicSite, resolver_rules

__all__ = ["stage"]


@pytest.fixture(scope="session")
def place() -> Iterator[Neighbourhood]:
    with Neighbourhood() as built:
        yield built


@pytest.fixture(scope="session")
def server(place: Neighbourhood, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicSite]:
    home = tmp_path_factory.mktemp("networks")
    # Not in pytest's own directory: PostgreSQL's account could not enter it.
    with tempfile.TemporaryDirectory(prefix="napalmsky-test-") as data, PublicCoturn(home, place):
        pair = Pair(Path(data))
        pair.start()
        site = PublicSite(home, place, pair)
        site.start()
        yield site
        site.stop()
        pair.stop()


@pytest.fixture(scope="session")
def code(server: PublicSite) -> str:
    """An invite code without a limit."""
    told = server.command("codes", "create", "--label", "networks")
    found = re.search(r"[0-9A-Z]{4}(-?[0-9A-Z]{4}){3}", told)
    assert found is not None, told
    return found[0]


@pytest.fixture
def homes(place: Neighbourhood, families: tuple[int, int]) -> list[Home]:
    """Both as at the beginning: NAT that keeps its mapping, no faults."""
    for home, family in zip(place.homes, families, strict=True):
        home.reset(family=family)
    return place.homes


@pytest.fixture
def families() -> tuple[int, int]:
    """Of the addresses of each home, and those that its browser has for the site and coturn."""
    return 4, 4


@pytest.fixture
def house(
    server: PublicSite, homes: list[Home], families: tuple[int, int], tmp_path: Path
) -> Iterator[House]:
    """A new browser in each home."""
    loop = Loop()
    playwright = loop.run(start_playwright())
    browsers = []
    for number, (home, family) in enumerate(zip(homes, families, strict=True)):
        program = tmp_path / f"chromium-{number}"
        program.write_text(f'#!/bin/sh\nexec {" ".join(home.inside.prefix)} {CHROMIUM} "$@"\n')
        program.chmod(0o755)
        flags = [flag for flag in FLAGS if "resolver" not in flag] + [
            f"--host-resolver-rules={resolver_rules(family)}", "--ignore-certificate-errors",
            f"--unsafely-treat-insecure-origin-as-secure=http://{HOST}:{PORT}",
        ]  # fmt: skip
        browsers.append(loop.run(open_browser(playwright, flags, program)))
    yield House(server, loop, browsers, playwright)
    for browser in browsers:
        loop.run(browser.close())
    loop.run(playwright.stop())
    loop.close()
