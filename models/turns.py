"""A queue in this process for a row that many tasks want to lock at once.

A statement that waits for a lock holds a connection and has two seconds. Ten of them would occupy all
connections of the process, and the later ones would be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from models.errors import Contended

TURN_SECONDS = 10.0


class Turns:
    def __init__(self) -> None:
        self._locks: dict[Hashable, asyncio.Lock] = {}
        self._wanted: dict[Hashable, int] = {}

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Exclusive use of a key, in order of arrival. Raises: Contended, after ten seconds."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._wanted[key] = self._wanted.get(key, 0) + 1
        try:
            await self._acquire(lock)
            try:
                yield
            finally:
                lock.release()
        finally:
            self._wanted[key] -= 1
            if not self._wanted[key]:
                del self._wanted[key], self._locks[key]

    @staticmethod
    async def _acquire(lock: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await lock.acquire()
        except TimeoutError as error:
            raise Contended from error

    def __len__(self) -> int:
        return len(self._locks)
