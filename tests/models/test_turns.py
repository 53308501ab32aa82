"""Turns of one process: in order, one at a time for each key, and nothing is kept."""

from __future__ import annotations

import asyncio

import pytest

from models import turns as module
from models.errors import Contended
from models.turns import Turns


async def test_one_at_a_time_in_order_and_others_at_once() -> None:
    turns, seen, inside = Turns(), [], 0

    async def take(key: str, number: int) -> None:
        nonlocal inside
        async with turns.of(key):
            inside += key == "a"
            assert inside <= 1
            await asyncio.sleep(0)
            seen.append((key, number))
            inside -= key == "a"

    async with turns.of("b"):
        await asyncio.gather(*(take("a", number) for number in range(5)))
    assert seen == [("a", number) for number in range(5)]
    assert len(turns) == 0


async def test_one_that_fails_or_is_cancelled_lets_the_next_go() -> None:
    turns = Turns()
    with pytest.raises(KeyError):
        async with turns.of("a"):
            raise KeyError
    async with turns.of("a"):
        waiting = asyncio.create_task(_take(turns))
        await asyncio.sleep(0)
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await _take(turns)
    assert len(turns) == 0


async def test_the_wait_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TURN_SECONDS", 0.01)
    turns = Turns()
    async with turns.of("a"):
        with pytest.raises(Contended):
            await _take(turns)
    assert len(turns) == 0


async def _take(turns: Turns) -> None:
    async with turns.of("a"):
        pass
