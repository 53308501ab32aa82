"""Calls whose time is up before the sweep looks again: each ends at its own instant, not with the next round.

Only a hint in memory: it decides nothing. The step that it takes is the sweep's, the compare-and-set says who
was first, and a process that dies with its alarms leaves the calls to the sweeps of the others.
"""

from __future__ import annotations

import asyncio
import logging

from models.calls.calls import Calls
from models.calls.state import Tick
from models.errors import Problem

logger = logging.getLogger(__name__)
# This much after the instant, so that a clock learnt anew meanwhile does not make it too early.
SLACK_SECONDS = 0.005
# However many are due at once: a part of the connections to PostgreSQL.
AT_ONCE = 4


class CallAlarms:
    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._set: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def is_any_set(self) -> bool:
        return bool(self._set)

    def set(self, seconds: float) -> None:
        """For calls with a seat here that are due within so many seconds."""
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
            pass  # a server is away, or the call is gone: the sweep looks again
        except Exception:
            logger.exception("a call could not be ended", extra={"call_id": call_id})
        finally:
            self._set.pop(call_id, None)
