"""What this process last knew of its calls, so that a step need not read the row first.

Keeps calls that have a seat here, and the newest that were accepted here. May be old: the version tells, and
the compare-and-set of `models.calls.calls` reads again. Orders the steps of one process: one at a time in a
call.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from models.calls.call import Call

MOST_BEGUN = 1000


class KnownCalls:
    def __init__(self) -> None:
        # With a seat here; None: to be read again.
        self._seated: dict[str, Call | None] = {}
        # Accepted here, and no seat yet.
        self._begun: dict[str, Call] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    def __len__(self) -> int:
        return len(self._seated.keys() | self._begun.keys() | self._turns.keys())

    def begin(self, call: Call) -> None:
        """It was accepted here a moment ago, and most likely both seats are taken here."""
        if len(self._begun) >= MOST_BEGUN:
            self.forget(next(iter(self._begun)))
        self._begun[call.call_id] = call
        # From now on, so that the two who take their seats at once do not race each other.
        self._turns[call.call_id] = asyncio.Lock()

    def seat(self, call: Call) -> None:
        """A seat of it is here from now on."""
        self._begun.pop(call.call_id, None)
        self._seated[call.call_id] = call
        self._turns.setdefault(call.call_id, asyncio.Lock())

    def find(self, call_id: str) -> Call | None:
        return self._seated[call_id] if call_id in self._seated else self._begun.get(call_id)

    def with_seats(self) -> list[str]:
        return list(self._seated)

    def due_within(self, now: datetime, seconds: float) -> dict[str, float]:
        """Those with a seat here whose next deadline comes that soon, and in how many seconds it comes."""
        soon = now + timedelta(seconds=seconds)
        return {
            call_id: (call.progress.due_at - now).total_seconds()
            for call_id, call in self._seated.items()
            if call is not None and call.progress.due_at is not None and now < call.progress.due_at <= soon
        }

    def turn(self, call_id: str) -> asyncio.Lock | None:
        """Held during a step, so that two seats of this process do not race each other."""
        return self._turns.get(call_id)

    def keep(self, call: Call) -> None:
        """Remembers how far it is, while there is a seat here."""
        if call.call_id in self._seated and call.progress.state != "ended":
            self._seated[call.call_id] = call

    def doubt(self, call_id: str) -> None:
        """To be read again."""
        self._begun.pop(call_id, None)
        self._seated[call_id] = None

    def end(self, call_id: str) -> None:
        if call_id in self._begun:
            self.forget(call_id)
        self._seated.pop(call_id, None)

    def forget(self, call_id: str) -> None:
        """No seat of it is here, or none any more."""
        self._seated.pop(call_id, None)
        self._begun.pop(call_id, None)
        self._turns.pop(call_id, None)
