"""The fair queue: blocking work in rotation over subjects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Event

import pytest

from models.errors import Unavailable
from models.security.fair_queue import MOST_IN_ALL, MOST_WAITING, FairQueue


@pytest.fixture
def queue() -> Iterator[FairQueue]:
    opened = FairQueue("test")
    yield opened
    opened.close()


@asynccontextmanager
async def held(queue: FairQueue) -> AsyncIterator[None]:
    """Keeps the thread busy until the block ends."""
    free = Event()
    work = asyncio.ensure_future(queue.run("holder", free.wait))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        free.set()
        await work


def begin(queue: FairQueue, subject: str, count: int, done: list[str]) -> list[asyncio.Future[None]]:
    return [asyncio.ensure_future(queue.run(subject, lambda: done.append(subject))) for _ in range(count)]


async def test_subjects_are_served_in_rotation(queue: FairQueue) -> None:
    done: list[str] = []
    async with held(queue):
        work = begin(queue, "a", 5, done) + begin(queue, "b", 2, done) + begin(queue, "c", 1, done)
        await asyncio.sleep(0)
    await asyncio.gather(*work)
    assert "".join(done) == "abcabaaa"


async def test_results_and_exceptions_are_returned(queue: FairQueue) -> None:
    assert await queue.run("a", lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await queue.run("a", lambda: 1 // 0)
    assert await queue.run("b", lambda: 6) == 6


async def test_too_many_jobs_of_a_subject_are_refused_with_retry_after(queue: FairQueue) -> None:
    async with held(queue):
        waiting = begin(queue, "a", MOST_WAITING, [])
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as refused:
            await queue.run("a", int)
        assert refused.value.retry_after == 5
        other = asyncio.ensure_future(queue.run("b", lambda: 7))
        await asyncio.sleep(0)
        assert not any(one.done() for one in [*waiting, other])
    assert await other == 7
    await asyncio.gather(*waiting)


async def test_in_a_full_queue_the_subject_with_most_jobs_loses_one(queue: FairQueue) -> None:
    async with held(queue):
        crowd = [begin(queue, f"crowd {n}", MOST_IN_ALL // 2, []) for n in range(2)]
        await asyncio.sleep(0)
        honest = asyncio.ensure_future(queue.run("honest", lambda: 7))
        await asyncio.sleep(0)
    assert await honest == 7
    ended = await asyncio.gather(*crowd[0], *crowd[1], return_exceptions=True)
    assert sum(isinstance(one, Unavailable) for one in ended) == 1


async def test_a_queue_full_of_single_jobs_refuses_the_next(queue: FairQueue) -> None:
    async with held(queue):
        crowd = [begin(queue, f"one of {n}", 1, [])[0] for n in range(MOST_IN_ALL)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await queue.run("honest", int)
    await asyncio.gather(*crowd)


async def test_a_cancelled_caller_frees_its_place(queue: FairQueue) -> None:
    done: list[str] = []
    async with held(queue):
        gone = begin(queue, "a", MOST_WAITING, done)
        await asyncio.sleep(0)
        for one in gone:
            one.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert not queue._waiting
    assert done == []


async def test_close_refuses_waiting_work_and_running_work_ends(queue: FairQueue) -> None:
    done: list[str] = []
    async with asyncio.timeout(10):
        async with held(queue):
            waiting = begin(queue, "a", 3, done) + begin(queue, "b", 1, done)
            await asyncio.sleep(0)
            queue.close()
            ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in ended] == [Unavailable] * 4
        assert done == []
        with pytest.raises(Unavailable):
            await queue.run("c", int)
    assert not queue._waiting


async def test_close_refuses_work_that_the_thread_has_not_started(queue: FairQueue) -> None:
    free = Event()
    queue._thread.submit(free.wait)
    work = asyncio.ensure_future(queue.run("a", int))
    await asyncio.sleep(0)
    queue.close()
    free.set()
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await work
