"""PostgreSQL's clock, known in every process: the only one that is compared across machines.

`now()` is this process's own monotonic clock plus an offset learnt from PostgreSQL; the sweep learns it anew
every round. Between two rounds
it never jumps backwards by more than the correction. Tests give an exact instant with `freeze`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self._frozen: datetime | None = None

    def learn(self, server_now: datetime, *, asked_at: float, answered_at: float) -> None:
        """`server_now` was read between the two monotonic instants; half the round trip is its age."""
        self._offset = server_now.timestamp() + (answered_at - asked_at) / 2 - answered_at

    def now(self) -> datetime:
        """An aware UTC datetime."""
        if self._frozen is not None:
            return self._frozen
        return datetime.fromtimestamp(time.monotonic() + self._offset, UTC)

    def now_ms(self) -> int:
        """Epoch milliseconds: `serverNow` on the wire."""
        return round(self.now().timestamp() * 1000)

    @property
    def frozen(self) -> datetime | None:
        """What statements get as `:now`: None in production, so that PostgreSQL takes its own."""
        return self._frozen

    def freeze(self, instant: datetime | None) -> None:
        self._frozen = instant

    def advance(self, **length: float) -> None:
        """Moves a frozen clock on: `advance(seconds=30)`."""
        assert self._frozen is not None
        self._frozen += timedelta(**length)
