"""The timer of a connection: pings while it is open, a time limit while it closes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CLOSE_SECONDS = 5


class Keepalive:
    """Calls `ping` every `seconds`; calls `drop` if the client completes no frame for a whole interval after
    a ping, and CLOSE_SECONDS after `closing`.
    """

    def __init__(self, seconds: float, ping: Callable[[], None], drop: Callable[[], None]) -> None:
        self._seconds, self._ping, self._drop = seconds, ping, drop
        # True from a ping until the client completes a frame.
        self.is_quiet = False
        self._is_closing = False
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._call(self._seconds, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def closing(self) -> None:
        """Starts the time limit; the first call counts."""
        if not self._is_closing:
            self._is_closing = True
            self._call(CLOSE_SECONDS, self._drop)

    def _look(self) -> None:
        if self.is_quiet:
            self._drop()
            return
        self.is_quiet = True
        self._call(self._seconds, self._look)
        self._ping()

    def _call(self, seconds: float, work: Callable[[], None]) -> None:
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(seconds, work)
