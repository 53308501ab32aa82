"""Timers that end a call at its exact deadline, without waiting for the next sweep.

A timer lives in memory and decides nothing: it applies the same step as the sweep, and the compare-and-set
decides which process was first. If a process dies with its timers, the sweeps of the other processes end its
calls.
"""

from __future__ import annotations

import asyncio
import logging

from models.calls.calls import Calls
from models.calls.state import Tick
from models.errors import Problem

logger = logging.getLogger(__name__)
# Added to each deadline, so that a small correction of the clock does not make the timer too early.
SLACK_SECONDS = 0.005
# Fewer than the pool has connections, however many calls are due.
AT_ONCE = 4


class CallTimers:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._set: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def is_any_set(self) -> bool:
        return bool(self._set)

    def set(self, seconds: float) -> None:
        """Sets timers for the calls with a seat here that are due within `seconds`."""
        loop = asyncio.get_running_loop()
        for call_id, left in self._calls.due_within(seconds).items():
            if call_id not in self._set:
                self._set[call_id] = loop.create_task(self._tick(call_id, left))

    async def stop(self) -> None:
        tasks = list(self._set.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._set.clear()

    async def _tick(self, call_id: str, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds + SLACK_SECONDS)
            async with self._turns:
                await self._calls.apply(call_id, Tick())
        except Problem:
            pass  # a server is down or the call does not exist: the sweep tries again
        except Exception:
            logger.exception("a call could not be ended", extra={"call_id": call_id})
        finally:
            self._set.pop(call_id, None)
