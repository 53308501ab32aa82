"""Limits within one process: tasks of a key run in order, a few at a time, and nothing is kept afterwards."""

from __future__ import annotations

import asyncio

import pytest

from models.concurrency.keyed_semaphore import KeyedSemaphore
from models.errors import Contended, TooMany


async def test_one_at_a_time_in_order_and_others_at_once() -> None:
    semaphore, seen, inside = KeyedSemaphore(), [], 0

    async def take(key: str, number: int) -> None:
        nonlocal inside
        async with semaphore.acquired(key):
            inside += key == "a"
            assert inside <= 1
            await asyncio.sleep(0)
            seen.append((key, number))
            inside -= key == "a"

    async with semaphore.acquired("b"):
        await asyncio.gather(*(take("a", number) for number in range(5)))
    assert seen == [("a", number) for number in range(5)]
    assert len(semaphore) == 0


async def test_one_that_fails_or_is_cancelled_lets_the_next_go() -> None:
    semaphore = KeyedSemaphore()
    with pytest.raises(KeyError):
        async with semaphore.acquired("a"):
            raise KeyError
    async with semaphore.acquired("a"):
        waiting = asyncio.create_task(_take(semaphore))
        await asyncio.sleep(0)
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await _take(semaphore)
    assert len(semaphore) == 0


async def test_turns_are_taken_in_order_and_only_so_many() -> None:
    semaphore, at_once, order = KeyedSemaphore(2), 0, []

    async def one(number: int) -> None:
        nonlocal at_once
        async with semaphore.acquired("a"):
            at_once += 1
            assert at_once <= 2
            await asyncio.sleep(0)
            order.append(number)
            at_once -= 1

    await asyncio.gather(*(one(number) for number in range(10)))
    assert order == list(range(10))
    assert len(semaphore) == 0


@pytest.mark.parametrize("refusal", [Contended, TooMany])
async def test_the_wait_has_an_end(refusal: type[Contended | TooMany]) -> None:
    semaphore = KeyedSemaphore(seconds=0.01, refusal=refusal)
    async with semaphore.acquired("a"):
        with pytest.raises(refusal):
            await _take(semaphore)
    assert len(semaphore) == 0


@pytest.mark.parametrize("refusal", [Contended, TooMany])
async def test_only_so_many_wait_and_another_key_is_free(refusal: type[Contended | TooMany]) -> None:
    semaphore = KeyedSemaphore(2, most_waiting=3, refusal=refusal)
    async with semaphore.acquired("a"), semaphore.acquired("a"):
        waiting = [asyncio.create_task(_take(semaphore)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(refusal) as refused:
            await _take(semaphore)
        assert refused.value.retry_after == 5
        async with semaphore.acquired("b"):
            pass
        assert not any(one.done() for one in waiting)
    await asyncio.gather(*waiting)
    assert len(semaphore) == 0


async def _take(semaphore: KeyedSemaphore) -> None:
    async with semaphore.acquired("a"):
        pass
