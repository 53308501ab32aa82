"""Background tasks: a failure is logged, and the next round comes; an end is never silent."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from models.concurrency.background_tasks import BackgroundTasks, _pause
from models.errors import Unavailable
from tests.support.scenes import until
from tests.support.source_tree import CODE, name_of


def failing(errors: list[BaseException]) -> tuple[list[int], object]:
    """Work that fails with each of these, and then no more; and the rounds it has begun."""
    rounds: list[int] = []

    async def work() -> None:
        rounds.append(len(rounds))
        if errors:
            raise errors.pop(0)

    return rounds, work


@pytest.mark.parametrize(
    "error", [RuntimeError("a fault of ours"), Unavailable(), asyncio.CancelledError(), RecursionError()]
)
async def test_the_next_round_comes_after_any_failure(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    rounds, work = failing([error])
    tasks = BackgroundTasks()
    tasks.repeat("the work", work, 0.001)
    await until(lambda: len(rounds) > 2)
    await tasks.stop()
    assert len(tasks) == 0
    level = logging.WARNING if isinstance(error, Unavailable) else logging.ERROR
    assert [(one.levelno, one.message.split()[1]) for one in caplog.records] == [(level, "work")]


async def test_work_that_is_no_coroutine_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    rounds: list[int] = []

    def work() -> object:
        rounds.append(1)
        raise ValueError

    tasks = BackgroundTasks()
    tasks.repeat("the work", work, 0.001)
    await until(lambda: len(rounds) > 1)
    await tasks.stop()
    assert caplog.records[0].message == "the work failed"


async def test_an_outage_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    rounds, work = failing([Unavailable(), Unavailable()])
    tasks = BackgroundTasks()
    tasks.repeat("the work", work, 0.001)
    await until(lambda: len(rounds) > 3)
    await tasks.stop()
    assert [one.message for one in caplog.records] == ["the work waits: a server is down"]


async def test_stop_ends_also_what_swallows_its_cancellation() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    tasks = BackgroundTasks()
    tasks.repeat("the work", work, 0.0)
    await begun.wait()
    async with asyncio.timeout(5):
        await tasks.stop()
    assert len(tasks) == 0


async def test_what_is_done_once_is_logged_when_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    _, work = failing([ValueError()])
    tasks = BackgroundTasks()
    tasks.spawn("the delivery", work())
    await until(lambda: len(tasks) == 0)
    assert [one.message for one in caplog.records] == ["the delivery failed"]


def test_the_pause_grows_with_failures_and_has_a_limit() -> None:
    assert [_pause(0.5, 5, "failed", number) for number in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert _pause(0.5, 5, "failed", 1000) == 5
    assert _pause(600, 5, "failed", 3) == 600
    # An outage ends at any moment.
    assert _pause(0.5, 5, "away", 0) == 0.5
    assert _pause(0.0, 5, "away", 0) > 0
    assert _pause(0.0, 5, "done", 0) == 0


async def test_what_is_done_once_can_be_waited_for() -> None:
    done: list[int] = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(1)
        raise KeyError

    tasks = BackgroundTasks()
    for _ in range(3):
        tasks.spawn("the delivery", work())
    await tasks.finished()
    assert len(done) == 3


def test_nothing_else_starts_tasks() -> None:
    """Each of these logs what fails in its task and goes on without it, or hands it to those who wait."""
    own = {
        "models/concurrency/background_tasks.py",
        "models/concurrency/ticks.py",
        "models/redis/pipeline.py",
        "models/calls/timers.py",
        "handlers/realtime/websocket.py",
    }
    starts = re.compile(r"create_task\(|TaskGroup\(|ensure_future\((?!stream\.read_bytes)")
    found = {name_of(file) for file in CODE if starts.search(file.read_text())}
    # The robots are a client of the site, in a process of their own.
    assert {name for name in found if not name.startswith("robots/")} == own
