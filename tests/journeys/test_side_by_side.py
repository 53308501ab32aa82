"""Long walks run at the same time, in two lanes: the main journeys, whose calls last a minute each, rings
that time out, and checks of many pages.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial

import pytest

from tests.journeys.parts import accessibility, accounts, main_journey, rings, without_scripts
from tests.journeys.stage import DESKTOP, JOURNEY_SECONDS, PHONE, House, Stage

walk = main_journey.walk
# The two main journeys, a minute each, come one after the other.
LANES = (
    {
        "landing to history, desktop": partial(walk, device=DESKTOP, caller="Anna", callee="Ben"),
        "every page of a member's": accessibility.members_pages,
        "every page of the console": accessibility.consoles_pages,
    },
    {
        "ring declined": rings.declined,
        "ring cancelled": rings.cancelled,
        "ring missed": rings.missed,
        "ring in two tabs": rings.answered_in_another_tab,
        "landing to history, phone": partial(walk, device=PHONE, caller="Cleo", callee="Dan"),
        "account kept and used elsewhere": accounts.kept_and_used_elsewhere,
        "friend introduces two": accounts.friend_introduces_two,
        "all but the call without scripts": without_scripts.all_but_the_call,
    },
)
WALKS = {name: of_it for lane in LANES for name, of_it in lane.items()}
Begun = dict[str, Future[list[str]]]


async def go(house: House, name: str) -> list[str]:
    """Walks, and returns the errors of the visitors' pages."""
    stage = Stage(house)
    try:
        await asyncio.wait_for(WALKS[name](stage), JOURNEY_SECONDS)
    finally:
        troubles = await stage.clear()
    return troubles


async def one_after_the_other(house: House, names: list[str], outcomes: Begun) -> None:
    for name in names:
        try:
            outcomes[name].set_result(await go(house, name))
        except Exception as error:
            outcomes[name].set_exception(error)
        except BaseException:
            for left in names[names.index(name) :]:
                outcomes[left].cancel()
            raise


@pytest.fixture(scope="module")
def begun(house: House) -> Iterator[Begun]:
    """More than two lanes, or two calls at a time, would overload a small machine."""
    before = len(house.server.faults)
    outcomes: Begun = {name: Future() for name in WALKS}
    lanes = [
        house.loop.begin(one_after_the_other(house, list(lane), outcomes), 2 * JOURNEY_SECONDS * len(lane))
        for lane in LANES
    ]
    yield dict(outcomes)
    for lane in lanes:
        lane.cancel()
    assert not house.server.faults[before:]


@pytest.mark.journey
@pytest.mark.parametrize("name", WALKS)
def test_walk(begun: Begun, house: House, name: str) -> None:
    """Waits for its own walk. A retry repeats the walk."""
    outcome = begun.pop(name, None) or house.loop.begin(go(house, name), 2 * JOURNEY_SECONDS)
    assert not outcome.result()


def test_no_two_workers_of_a_run_hold_browsers(request: pytest.FixtureRequest) -> None:
    """pytest-xdist recognises a group by the suffix of its tests' names.

    Only one worker may run browsers: docs/decisions/development/two-at-a-time.md.
    """
    is_shared_run = "PYTEST_XDIST_WORKER" in os.environ
    assert request.node.nodeid.endswith("@browsers") == is_shared_run
