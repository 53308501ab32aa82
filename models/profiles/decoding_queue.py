"""DecodingQueue at a scarce resource, shared fairly between people.

So many have a turn at a time, and never two of one owner. The others wait at most 30 s. Of those that wait,
the owner that used the least time in the last ten minutes is next. If too many wait, the one that used the
most gives up its place. Raises Unavailable (with Retry-After) for whoever gets no turn.
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
    """One that waits; `future` is resolved with its turn, or with the refusal."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class DecodingQueue:
    def __init__(self, count: int) -> None:
        self._free = count
        self._owners: set[str] = set()
        self._waiting: list[Waiter] = []
        self._used: dict[str, float] = {}
        self._forgotten_at = time.monotonic()

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
            self._go_on()

    async def _wait(self, owner: str) -> None:
        self._forget()
        waiter = self._join(owner)
        self._go_on()
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
            if self._cost(worst.owner) <= self._cost(owner):
                raise Unavailable(retry_after=RETRY_SECONDS)
            self._waiting.remove(worst)
            worst.future.set_exception(Unavailable(retry_after=RETRY_SECONDS))
        waiter = Waiter(owner)
        self._waiting.append(waiter)
        return waiter

    def _go_on(self) -> None:
        """Gives out every free turn that somebody may take; of equals the first that came."""
        while self._free:
            able = [one for one in self._waiting if one.owner not in self._owners]
            if not able:
                return
            waiter = min(able, key=lambda one: self._cost(one.owner))
            self._waiting.remove(waiter)
            self._free -= 1
            self._owners.add(waiter.owner)
            waiter.future.set_result(None)

    def _leave(self, waiter: Waiter) -> None:
        """Gives back a turn that came in the same moment as the end of the wait."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.future.done() and not waiter.future.cancelled() and not waiter.future.exception():
            self._owners.discard(waiter.owner)
            self._free += 1
            self._go_on()

    def _cost(self, owner: str) -> float:
        return self._used.get(owner, 0.0)

    def _forget(self) -> None:
        """Halves what is remembered every ten minutes."""
        if time.monotonic() - self._forgotten_at > REMEMBERED_SECONDS:
            self._forgotten_at = time.monotonic()
            self._used = {owner: used / 2 for owner, used in self._used.items() if used > 1.0}
