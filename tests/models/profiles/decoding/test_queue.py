"""The decoding queue: limited turns, one per owner, the owner with the least use next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from models.errors import Unavailable
from models.profiles.decoding import queue
from models.profiles.decoding.queue import MOST_OWN_WAITING, MOST_WAITING, RETRY_SECONDS, DecodingQueue


class HeldTurns:
    """Turns that last until `gate` opens; `order` has the owners that got one."""

    def __init__(self, count: int = 2) -> None:
        self.turns, self.gate, self.order = DecodingQueue(count), asyncio.Event(), list[str]()
        self.now = self.most = 0

    async def take(self, owner: str, until: Callable[[], asyncio.Event] | None = None) -> str:
        async with self.turns.turn(owner):
            self.order.append(owner)
            self.now += 1
            self.most = max(self.most, self.now)
            await (until() if until else self.gate).wait()
            self.now -= 1
        return owner

    def start(self, *owners: str) -> list[asyncio.Task[str]]:
        return [asyncio.ensure_future(self.take(owner)) for owner in owners]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_two_run_and_the_others_wait_or_are_refused() -> None:
    held = HeldTurns()
    owners = [f"{number}" for number in range(2 + MOST_WAITING)]
    under_way = held.start(*owners)
    await settle()
    with pytest.raises(Unavailable) as refused:
        await held.take("late")
    assert refused.value.retry_after == RETRY_SECONDS
    held.gate.set()
    assert await asyncio.gather(*under_way) == owners
    assert (held.order, held.most) == (owners, 2)


async def test_an_owner_has_one_turn_and_few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    held = HeldTurns()
    eve = held.start(*["eve"] * (1 + MOST_OWN_WAITING))
    await settle()
    with pytest.raises(Unavailable):
        await held.take("eve")
    ann = held.start("ann")
    await settle()
    assert held.order == ["eve", "ann"]
    held.gate.set()
    await asyncio.gather(*eve, *ann)
    assert held.most == 2


async def test_the_least_use_is_next_and_the_most_use_is_dropped() -> None:
    held = HeldTurns(1)
    held.turns._used = {"eve": 9.0, "mal": 5.0}
    first = held.start("one")
    await settle()
    waiting = held.start("eve", "mal", *[f"{number}" for number in range(MOST_WAITING - 2)])
    await settle()
    ann = held.start("ann")
    await settle()
    with pytest.raises(Unavailable):
        await waiting[0]
    held.gate.set()
    await asyncio.gather(*first, *waiting[1:], *ann)
    assert held.order[-1] == "mal"
    assert "eve" not in held.order


async def test_the_wait_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "WAIT_SECONDS", 0.05)
    held = HeldTurns(1)
    busy = held.start("ann")
    await settle()
    with pytest.raises(Unavailable):
        await held.take("ben")
    held.gate.set()
    await asyncio.gather(*busy)
    assert await held.take("ben") == "ben"


async def test_a_failed_or_cancelled_turn_is_released() -> None:
    held = HeldTurns(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with held.turns.turn("ann"):
                raise ZeroDivisionError
    busy, waiting = held.start("ann"), held.start("ben")
    await settle()
    waiting[0].cancel()
    busy[0].cancel()
    await asyncio.gather(*busy, *waiting, return_exceptions=True)
    held.gate.set()
    assert await held.take("cy") == "cy"


async def test_recorded_use_decays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "REMEMBERED_SECONDS", -1.0)
    held = HeldTurns()
    held.turns._used = {"eve": 8.0, "ann": 0.5}
    held.gate.set()
    await held.take("cy")
    assert held.turns._used.keys() == {"eve", "cy"}
    assert held.turns._used["eve"] == 4.0


@pytest.mark.parametrize("ends_first", [True, False])
async def test_a_wait_that_ends_together_with_a_turn_loses_no_turn(ends_first: bool) -> None:
    """The waiting task has not run yet when a turn is granted: its future is done but still queued."""
    held = HeldTurns(1)
    (running,) = held.start("ann")
    await settle()
    (waiting,) = held.start("ben")
    await settle()
    for step in (held.gate.set, waiting.cancel)[:: 1 if ends_first else -1]:
        step()
    assert await running == "ann"
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await asyncio.wait_for(held.take("cy"), 30) == "cy"
