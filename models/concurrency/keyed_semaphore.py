"""A semaphore for each key, with a bounded queue: for a row that many tasks want to lock, or for an address.

A statement that waits for a lock holds a connection and has two seconds. Ten of them would occupy all
connections of the process, and the later ones would be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from models.errors import Contended, TooMany

WAIT_SECONDS = 10.0
MOST_WAITING = 1000
RETRY_SECONDS = 5


class _Entry:
    def __init__(self, at_once: int) -> None:
        self.free = asyncio.Semaphore(at_once)
        self.users = 0


class KeyedSemaphore:
    """At most `at_once` tasks of a key at a time. Up to `most_waiting` more wait, in order of arrival, for up
    to `seconds`; others are refused with `refusal`.
    """

    def __init__(
        self,
        at_once: int = 1,
        *,
        most_waiting: int = MOST_WAITING,
        seconds: float = WAIT_SECONDS,
        refusal: type[Contended | TooMany] = Contended,
    ) -> None:
        self._at_once, self._most = at_once, at_once + most_waiting
        self._seconds, self._refusal = seconds, refusal
        self._entries: dict[Hashable, _Entry] = {}

    @asynccontextmanager
    async def acquired(self, key: Hashable) -> AsyncIterator[None]:
        """Holds the key's semaphore during the block. Raises: the `refusal`, with Retry-After."""
        entry = self._entries.setdefault(key, _Entry(self._at_once))
        if entry.users >= self._most:
            raise self._refusal(retry_after=RETRY_SECONDS)
        entry.users += 1
        try:
            await self._wait_for(entry.free)
            try:
                yield
            finally:
                entry.free.release()
        finally:
            entry.users -= 1
            if not entry.users:
                del self._entries[key]

    async def _wait_for(self, free: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await free.acquire()
        except TimeoutError as error:
            raise self._refusal(retry_after=RETRY_SECONDS) from error

    def __len__(self) -> int:
        return len(self._entries)
