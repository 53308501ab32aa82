"""Items of one tick of the event loop: one run for all of them, none for one."""

from __future__ import annotations

import asyncio

import pytest

from models.concurrency.ticks import Ticks
from tests.support.scenes import until


class Work:
    """Answers when it is allowed to; an item 13 fails."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, items: list[int]) -> dict[str, int]:
        self.runs.append(items)
        await self.may_end.wait()
        if 13 in items:
            raise ValueError
        return {str(item): item * 2 for item in items}


async def test_an_item_that_is_alone_in_its_tick_runs_nothing() -> None:
    ticks = Ticks(work := Work(), most=9)
    assert [await ticks.join(key, 1) for key in "ab"] == [{}, {}]
    assert work.runs == []


async def test_items_of_one_tick_share_a_run_and_those_of_the_next_have_another() -> None:
    ticks = Ticks(work := Work(), most=9)
    for number in (1, 4):
        answers = await asyncio.gather(*(ticks.join(number + place, number + place) for place in range(3)))
        assert answers == [{str(one): one * 2 for one in range(number, number + 3)}] * 3
    assert work.runs == [[1, 2, 3], [4, 5, 6]]


async def test_items_that_come_during_a_run_do_not_wait_for_it() -> None:
    ticks = Ticks(work := Work(), most=9)
    work.may_end.clear()
    first = asyncio.gather(ticks.join("a", 1), ticks.join("b", 2))
    await until(lambda: work.runs)
    assert await ticks.join("a", 3) == {}
    second = asyncio.gather(ticks.join("a", 4), ticks.join("b", 5))
    await until(lambda: len(work.runs) == 2)
    work.may_end.set()
    assert (await first)[0] == {"1": 2, "2": 4}
    assert (await second)[0] == {"4": 8, "5": 10}


async def test_a_second_item_of_a_key_waits_for_the_run_without_it() -> None:
    ticks = Ticks(work := Work(), most=9)
    answers = await asyncio.gather(ticks.join("a", 1), ticks.join("a", 2), ticks.join("b", 3))
    assert answers == [{"1": 2, "3": 6}] * 3
    assert await asyncio.gather(ticks.join("a", 1), ticks.join("a", 2)) == [{}, {}]
    assert work.runs == [[1, 3]]


async def test_a_run_has_a_limited_number_of_items() -> None:
    ticks = Ticks(work := Work(), most=2)
    await asyncio.gather(*(ticks.join(item, item) for item in range(5)))
    assert work.runs == [[0, 1], [2, 3]]


async def test_an_error_reaches_every_item_of_the_tick() -> None:
    ticks = Ticks(Work(), most=9)
    failed = await asyncio.gather(ticks.join("a", 1), ticks.join("b", 13), return_exceptions=True)
    assert [type(one) for one in failed] == [ValueError, ValueError]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("is_running", [True, False])
async def test_a_cancelled_item_takes_no_answer_from_the_others(number: int, is_running: bool) -> None:
    ticks = Ticks(work := Work(), most=9)
    work.may_end.clear()
    tasks = [asyncio.create_task(ticks.join(item, item)) for item in range(3)]
    if is_running:
        await until(lambda: work.runs)
    asyncio.get_running_loop().call_soon(tasks[number].cancel)
    await until(tasks[number].cancelled)
    work.may_end.set()
    others = [task for task in tasks if task is not tasks[number]]
    assert await asyncio.gather(*others) == [{"0": 0, "1": 2, "2": 4}] * 2
    assert work.runs == [[0, 1, 2]]


async def test_a_cancelled_item_is_not_in_a_later_tick() -> None:
    ticks = Ticks(work := Work(), most=9)
    task = asyncio.create_task(ticks.join("a", 1))
    asyncio.get_running_loop().call_soon(task.cancel)
    await until(task.cancelled)
    assert await ticks.join("b", 2) == {}
    assert work.runs == []
