"""The number of HTTP requests being answered, and the drain of a process before it ends.

A drain waits for these requests and tells browsers to reconnect for the next one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

DRAIN_SECONDS = 5.0


class OpenRequests:
    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.is_draining = False

    def began(self) -> None:
        self._count += 1
        self._idle.clear()

    def ended(self) -> None:
        self._count -= 1
        if self._count == 0:
            self._idle.set()

    @property
    def is_idle(self) -> bool:
        return self._idle.is_set()

    def leave(self, seconds: float, then: Callable[[], None]) -> None:
        """Starts the drain: readiness fails and requests are still answered, so that a load balancer has time
        to notice.
        """
        self.is_draining = True
        asyncio.get_running_loop().call_later(seconds, then)

    async def drained(self) -> None:
        """Returns when all pending requests have been answered, or after five seconds."""
        self.is_draining = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._idle.wait()
