"""The queue for the decoders, shared fairly between users.

A fixed number of turns is given at a time, and never two to one owner. The others wait at most 30 s. The next
turn goes to the owner who used the least time in the last ten minutes. If the queue is full, the waiting
owner who used the most is dropped. Raises: Unavailable (with Retry-After) if there is no turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.errors import Unavailable

WAIT_SECONDS = 30.0
MOST_WAITING, MOST_OWN_WAITING = 32, 2
RETRY_SECONDS = 10
REMEMBERED_SECONDS = 600.0


class Waiter:
    """A waiting caller. `future` is resolved with its turn, or fails with the refusal."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class DecodingQueue:
    def __init__(self, count: int) -> None:
        self._free = count
        self._owners: set[str] = set()
        self._waiting: list[Waiter] = []
        self._used: dict[str, float] = {}
        self._decayed_at = time.monotonic()

    @asynccontextmanager
    async def turn(self, owner: str) -> AsyncIterator[None]:
        """One turn for the length of the block. Raises Unavailable."""
        await self._wait(owner)
        began = time.monotonic()
        try:
            yield
        finally:
            self._used[owner] = self._used.get(owner, 0.0) + time.monotonic() - began
            self._owners.discard(owner)
            self._free += 1
            self._grant()

    async def _wait(self, owner: str) -> None:
        self._decay()
        waiter = self._join(owner)
        self._grant()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await waiter.future
        except TimeoutError as error:
            self._leave(waiter)
            raise Unavailable(retry_after=RETRY_SECONDS) from error
        except BaseException:
            self._leave(waiter)
            raise

    def _join(self, owner: str) -> Waiter:
        if sum(one.owner == owner for one in self._waiting) >= MOST_OWN_WAITING:
            raise Unavailable(retry_after=RETRY_SECONDS)
        if len(self._waiting) >= MOST_WAITING:
            worst = max(self._waiting, key=lambda one: self._cost(one.owner))
            if worst.future.done() or self._cost(worst.owner) <= self._cost(owner):
                raise Unavailable(retry_after=RETRY_SECONDS)
            self._waiting.remove(worst)
            worst.future.set_exception(Unavailable(retry_after=RETRY_SECONDS))
        waiter = Waiter(owner)
        self._waiting.append(waiter)
        return waiter

    def _grant(self) -> None:
        """Grants the free turns to owners who may have one; of equals the first in the queue."""
        while self._free:
            # One whose time has ended is still in the queue until its task has run.
            eligible = [
                one for one in self._waiting if one.owner not in self._owners and not one.future.done()
            ]
            if not eligible:
                return
            waiter = min(eligible, key=lambda one: self._cost(one.owner))
            self._waiting.remove(waiter)
            self._free -= 1
            self._owners.add(waiter.owner)
            waiter.future.set_result(None)

    def _leave(self, waiter: Waiter) -> None:
        """Leaves the queue, and returns a turn granted at the moment the wait ended."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.future.done() and not waiter.future.cancelled() and not waiter.future.exception():
            self._owners.discard(waiter.owner)
            self._free += 1
            self._grant()

    def _cost(self, owner: str) -> float:
        return self._used.get(owner, 0.0)

    def _decay(self) -> None:
        """Halves the recorded times every ten minutes."""
        if time.monotonic() - self._decayed_at > REMEMBERED_SECONDS:
            self._decayed_at = time.monotonic()
            self._used = {owner: used / 2 for owner, used in self._used.items() if used > 1.0}
