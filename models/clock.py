"""PostgreSQL's clock, known in every process: the only clock compared across machines.

`now()` is this process's monotonic clock plus an offset measured against PostgreSQL; the sweep measures it
again every round. Between two rounds it never jumps backwards by more than the correction. Tests set an exact
instant with `freeze`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self._frozen: datetime | None = None

    def learn(self, server_now: datetime, *, asked_at: float, answered_at: float) -> None:
        """Sets the offset. `server_now` was read between the two monotonic instants; its age is taken as half
        the round trip.
        """
        self._offset = server_now.timestamp() + (answered_at - asked_at) / 2 - answered_at

    def now(self) -> datetime:
        """An aware UTC datetime."""
        if self._frozen is not None:
            return self._frozen
        return datetime.fromtimestamp(time.monotonic() + self._offset, UTC)

    def now_ms(self) -> int:
        """Epoch milliseconds, sent to clients as `serverNow`."""
        if self._frozen is not None:
            return round(self._frozen.timestamp() * 1000)
        return round((time.monotonic() + self._offset) * 1000)

    @property
    def frozen(self) -> datetime | None:
        """The value of `:now` in statements: None in production, where PostgreSQL uses its own clock."""
        return self._frozen

    def freeze(self, instant: datetime | None) -> None:
        self._frozen = instant

    def advance(self, **length: float) -> None:
        """Advances a frozen clock: `advance(seconds=30)`."""
        assert self._frozen is not None
        self._frozen += timedelta(**length)
