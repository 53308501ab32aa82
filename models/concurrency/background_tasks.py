"""Background tasks whose failures are logged.

A repeated task continues after any failure: the failure is logged, and the pauses grow to at most five
seconds. An outage of PostgreSQL or Redis (`Unavailable`) is logged once, and the task keeps its pace, so that
it works again as soon as the server does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Literal

from models.errors import Unavailable

logger = logging.getLogger(__name__)
LEAST_PAUSE_SECONDS = 0.25
MOST_PAUSE_SECONDS = 5.0
TaskFunction = Callable[[], Awaitable[object]]
RunOutcome = Literal["done", "away", "failed"]


class BackgroundTasks:
    """The tasks of one owner, who stops them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._away: set[str] = set()
        self._is_stopping = False

    def __len__(self) -> int:
        return len(self._running)

    def repeat(
        self, what: str, work: TaskFunction, seconds: float, most_seconds: float = MOST_PAUSE_SECONDS
    ) -> None:
        """Runs `work` repeatedly, `seconds` after it has returned; `what` names it in the log. After failures
        the pause grows up to `most_seconds`.
        """
        self._is_stopping = False
        self._start(self._repeat(what, work, seconds, most_seconds))

    def spawn(self, what: str, work: Coroutine[Any, Any, object]) -> None:
        """Runs `work` once; a failure is logged."""
        self._start(self._once(what, work))

    async def finished(self) -> None:
        """Returns when the tasks of `spawn` have ended."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def stop(self) -> None:
        """Cancels all, and returns when they have ended."""
        self._is_stopping = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _repeat(self, what: str, work: TaskFunction, seconds: float, most_seconds: float) -> None:
        failures = 0
        pause = seconds
        # Cancelled repeatedly: a cancellation that coincides with an answer can be lost.
        while not self._is_stopping:
            await asyncio.sleep(pause)
            outcome = await self._attempt(what, work)
            failures = failures + 1 if outcome == "failed" else 0
            pause = _pause(seconds, most_seconds, outcome, failures)

    async def _once(self, what: str, work: Coroutine[Any, Any, object]) -> None:
        await self._attempt(what, lambda: work)

    async def _attempt(self, what: str, work: TaskFunction) -> RunOutcome:
        try:
            await work()
        except Unavailable:
            if what not in self._away:
                self._away.add(what)
                logger.warning("%s waits: a server is down", what)
            return "away"
        except Exception:
            logger.exception("%s failed", what)
            return "failed"
        except asyncio.CancelledError:
            if self._is_stopping or _is_cancelled():
                raise
            # Something that `work` awaited was cancelled, not this task.
            logger.exception("%s failed", what)
            return "failed"
        self._away.discard(what)
        return "done"


def _pause(seconds: float, most_seconds: float, outcome: RunOutcome, failures: int) -> float:
    if outcome == "done":
        return seconds
    least = max(seconds, LEAST_PAUSE_SECONDS)
    return min(least * 2.0 ** min(failures, 10), max(least, most_seconds))


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
