"""A bounded bench for blocking work on what strangers send: pictures and videos.

Promises that so many are worked on at a time, that the rest wait at most 30 s, and that calls go first: the
threads have a low priority. Refuses whoever would wait longer, and the 33rd who waits (Unavailable).
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from models.errors import Unavailable

THREADS = 2
WAIT_SECONDS = 30.0
MOST_WAITING = 32
# A place is free again in a moment; who was refused need not come at once.
RETRY_SECONDS = 10
Result = TypeVar("Result")


class Decoding:
    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix=name, initializer=step_back)
        self._free = asyncio.Semaphore(THREADS)
        self._waiting = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises, from a thread. Raises Unavailable."""
        await self._take_turn()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free.release()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _take_turn(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise Unavailable(retry_after=RETRY_SECONDS)
        self._waiting += 1
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unavailable(retry_after=RETRY_SECONDS) from error
        finally:
            self._waiting -= 1


def step_back() -> None:
    """Pictures can wait, calls cannot: these threads go last (on Linux each has its own priority)."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
