"""What takes its time goes on at once: the main journey (its call lasts a minute), and the rings, one of
which is let ring to its end. The main journey as phones comes after it.
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
ALONE = "landing to history, phone"


@dataclass(frozen=True)
class Walk:
    stage: Stage
    outcome: Future[None]


def begin(house: House, name: str) -> Walk:
    stage = Stage(house)
    return Walk(stage, house.loop.begin(WALKS[name](stage)))


@pytest.fixture(scope="module")
def begun(house: House) -> Iterator[dict[str, Walk]]:
    """All but one are under way at once: two calls at a time leave too little of a small machine."""
    before = len(house.server.faults)
    yield {name: begin(house, name) for name in WALKS if name != ALONE}
    assert not house.server.faults[before:]


@pytest.mark.journey
@pytest.mark.parametrize("name", WALKS)
def test_walk(begun: dict[str, Walk], house: House, name: str) -> None:
    """Waits for its own walk. When it is tried anew, it walks anew."""
    walk = begun.pop(name, None) or begin(house, name)
    try:
        walk.outcome.result()
    finally:
        troubles = house.loop.run(walk.stage.clear())
    assert not troubles, "\n".join(troubles)
