"""Work a few at a time: never more, each once, and a failure that stops only its own line."""

from __future__ import annotations

import asyncio

import pytest

from models.concurrency.bounded_gather import bounded_gather


async def test_never_more_than_a_few_and_each_once() -> None:
    done: list[int] = []
    under_way = most = 0

    async def work(one: int) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        done.append(one)

    await bounded_gather(range(20), 3, work)
    assert (most, sorted(done)) == (3, list(range(20)))


async def test_a_failure_is_raised_after_the_others() -> None:
    done: list[int] = []

    async def work(one: int) -> None:
        if one == 0:
            raise LookupError
        await asyncio.sleep(0)
        done.append(one)

    with pytest.raises(LookupError):
        await bounded_gather(range(5), 2, work)
    assert done == [1, 2, 3, 4]


async def test_nothing_to_do() -> None:
    async def work(_one: int) -> None:
        raise AssertionError

    await bounded_gather([], 4, work)
