"""Messages at a steady pace, independent of the answers: an open loop.

Each is timed from when it was due until the other seat has it, so that a relay that stalls is charged for
every message that was due in the meantime.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from bench.client.connections import WireSocket
from bench.client.message_counter import Catcher, Expected
from bench.progress import Progress


class Timed(Catcher):
    """`due` are the due times of the messages under way to this seat, in order."""

    def __init__(self, socket: WireSocket, frame: bytes, expected: Expected) -> None:
        super().__init__(socket, frame)
        self._expected = expected
        self.due: deque[float] = deque()
        self.milliseconds: list[float] = []

    def caught(self, count: int) -> None:
        now = time.perf_counter()
        self.milliseconds += [1000 * (now - self.due.popleft()) for _ in range(count)]
        self._expected.came(count)


async def pace(
    pairs: Sequence[tuple[WireSocket, WireSocket]], frame: bytes, per_second: int, count: int, label: str
) -> tuple[list[float], list[float]]:
    """Milliseconds from due to received, and from due to sent (our own delay, part of the former)."""
    expected = Expected(count)
    seats = [tuple(Timed(socket, frame, expected) for socket in pair) for pair in pairs]
    late: list[float] = []
    began = time.perf_counter()
    with Progress(label, count) as progress:
        for number in range(count):
            due = began + number / per_second
            await _until(due)
            # The pairs in turn, and both directions of each pair.
            lap, at = divmod(number, len(seats))
            seats[at][1 - lap % 2].due.append(due)
            seats[at][lap % 2].throw()
            late.append(1000 * (time.perf_counter() - due))
            progress.step()
    await expected.all()
    return [each for pair in seats for seat in pair for each in seat.milliseconds], late


async def _until(due: float) -> None:
    """Waits until an instant. The loop's timers have millisecond resolution and may wake early, so this
    repeats.
    """
    wait = due - time.perf_counter()
    if wait > 0:
        await asyncio.sleep(wait)
        await _until(due)
