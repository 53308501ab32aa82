"""The lag of the event loop: how late it runs a timer. Work that blocks it shows up here."""

from __future__ import annotations

import asyncio

from handlers.http import metrics

EVERY_SECONDS = 0.5


class LoopLag:
    """Measures from `start` to `stop`."""

    def __init__(self, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._every_seconds, self._look, loop.time() + self._every_seconds)

    def _look(self, due: float) -> None:
        metrics.LAG.observe(max(0.0, asyncio.get_running_loop().time() - due))
        self.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
