"""A bounded queue in this process for each key: a row that many tasks want to lock, or an address.

A statement that waits for a lock holds a connection and has two seconds. Ten of them would occupy all
connections of the process, and the later ones would be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from models.errors import Contended, TooMany

TURN_SECONDS = 10.0
MOST_WAITING = 1000
RETRY_SECONDS = 5


class _Line:
    def __init__(self, at_once: int) -> None:
        self.free = asyncio.Semaphore(at_once)
        self.length = 0


class Turns:
    """At most `at_once` tasks of a key at a time. Up to `most_waiting` more wait, in order of arrival, for up
    to `seconds`; others are refused with `refusal`.
    """

    def __init__(
        self,
        at_once: int = 1,
        *,
        most_waiting: int = MOST_WAITING,
        seconds: float = TURN_SECONDS,
        refusal: type[Contended | TooMany] = Contended,
    ) -> None:
        self._at_once, self._most = at_once, at_once + most_waiting
        self._seconds, self._refusal = seconds, refusal
        self._lines: dict[Hashable, _Line] = {}

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """A turn for the length of the block. Raises: the `refusal`, with Retry-After."""
        line = self._lines.setdefault(key, _Line(self._at_once))
        if line.length >= self._most:
            raise self._refusal(retry_after=RETRY_SECONDS)
        line.length += 1
        try:
            await self._acquire(line.free)
            try:
                yield
            finally:
                line.free.release()
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[key]

    async def _acquire(self, free: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await free.acquire()
        except TimeoutError as error:
            raise self._refusal(retry_after=RETRY_SECONDS) from error

    def __len__(self) -> int:
        return len(self._lines)
