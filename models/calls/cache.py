"""A cache of the calls that have a seat in this process or were accepted in it.

A step does not have to read the row first. An entry may be out of date: the compare-and-set of
`models.calls.calls` compares the version and reads the row again. Each call has a lock, so that its steps in
this process run one at a time.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from models.calls.call import Call
from models.calls.state import Side

MOST_ACCEPTED = 1000


class CallCache:
    def __init__(self) -> None:
        # Calls with a seat here; None if the row must be read again.
        self._seated: dict[str, Call | None] = {}
        # Calls accepted here that have no seat yet.
        self._accepted: dict[str, Call] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        # The side that reported media first, while that is not written.
        self._media: dict[str, set[Side]] = {}

    def __len__(self) -> int:
        return len(self._seated.keys() | self._accepted.keys() | self._turns.keys() | self._media.keys())

    def begin(self, call: Call) -> None:
        """Adds a call that was just accepted here; both seats will probably be taken here."""
        if len(self._accepted) >= MOST_ACCEPTED:
            self.forget(next(iter(self._accepted)))
        self._accepted[call.call_id] = call
        # Created now, because both sides may take their seats at the same time.
        self._turns[call.call_id] = asyncio.Lock()

    def seat(self, call: Call) -> None:
        """Records that the call has a seat in this process."""
        self._accepted.pop(call.call_id, None)
        self._seated[call.call_id] = call
        self._turns.setdefault(call.call_id, asyncio.Lock())

    def find(self, call_id: str) -> Call | None:
        return self._seated[call_id] if call_id in self._seated else self._accepted.get(call_id)

    def with_seats(self) -> list[str]:
        return list(self._seated)

    def due_within(self, now: datetime, seconds: float) -> dict[str, float]:
        """Calls with a seat here whose next deadline is within `seconds`: call id -> seconds left."""
        soon = now + timedelta(seconds=seconds)
        return {
            call_id: (call.progress.due_at - now).total_seconds()
            for call_id, call in self._seated.items()
            if call is not None and call.progress.due_at is not None and now < call.progress.due_at <= soon
        }

    def turn(self, call_id: str) -> asyncio.Lock | None:
        """The lock that is held during a step of the call."""
        return self._turns.get(call_id)

    def keep(self, call: Call) -> None:
        """Stores the call's new state if it has a seat here."""
        if call.call_id in self._seated and call.progress.state != "ended":
            self._seated[call.call_id] = call

    def mark_outdated(self, call_id: str) -> None:
        """Marks the entry as out of date."""
        self._accepted.pop(call_id, None)
        self._seated[call_id] = None

    def end(self, call_id: str) -> None:
        if call_id in self._accepted:
            self.forget(call_id)
        self._seated.pop(call_id, None)
        self._media.pop(call_id, None)

    def hold_media(self, call_id: str, side: Side) -> None:
        """Remembers that a side reported media; not written yet."""
        self._media.setdefault(call_id, set()).add(side)

    def held_media(self, call_id: str) -> tuple[Side, ...]:
        return tuple(self._media.get(call_id, ()))

    def drop_media(self, call_id: str, *sides: Side) -> None:
        """Forgets the report of these sides, without any: of both."""
        left = self._media.get(call_id, set()).difference(sides) if sides else set()
        if left:
            self._media[call_id] = left
        else:
            self._media.pop(call_id, None)

    def forget(self, call_id: str) -> None:
        """Removes a call that has no seat in this process."""
        self._seated.pop(call_id, None)
        self._accepted.pop(call_id, None)
        self._turns.pop(call_id, None)
        self._media.pop(call_id, None)
