"""What takes its time goes on at once: the main journey on both kinds of device (its call lasts a minute),
and the rings, one of which is let ring to its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

import pytest

from tests.journeys import main_journey, rings
from tests.journeys.stage import DESKTOP, PHONE, House, Stage

WALKS = {
    "landing to history, desktop": partial(main_journey.walk, device=DESKTOP, caller="Anna", callee="Ben"),
    "landing to history, phone": partial(main_journey.walk, device=PHONE, caller="Cleo", callee="Dan"),
    "ring declined": rings.declined,
    "ring cancelled": rings.cancelled,
    "ring missed": rings.missed,
    "ring in two tabs": rings.answered_in_another_tab,
}


@dataclass(frozen=True)
class Walk:
    stage: Stage
    outcome: Future[None]


@pytest.fixture(scope="module")
def walks(house: House) -> Iterator[dict[str, Walk]]:
    """All under way; a test waits for its own."""
    before = len(house.server.faults)
    stages = {name: Stage(house) for name in WALKS}
    yield {name: Walk(stages[name], house.loop.begin(walk(stages[name]))) for name, walk in WALKS.items()}
    assert not house.server.faults[before:]


@pytest.mark.journey
@pytest.mark.parametrize("name", WALKS)
def test_walk(walks: dict[str, Walk], house: House, name: str) -> None:
    walk = walks[name]
    try:
        walk.outcome.result()
    finally:
        troubles = house.loop.run(walk.stage.clear())
    assert not troubles, "\n".join(troubles)
