"""What one seat of a call is told, in order: nothing before its `call:state`, and each chat line once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

MOST_HELD = 256
MOST_TOLD = 256


class SeatOrder:
    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        # What comes while the seat still opens.
        self._held: list[tuple[bytes, str | None]] | None = []
        # The newest chat lines that this seat has been told.
        self._told: deque[str] = deque(maxlen=MOST_TOLD)

    @property
    def is_opening(self) -> bool:
        return self._held is not None

    def hear(self, frame: bytes, once: str | None = None) -> None:
        """Nothing when this seat has been told what is named `once`."""
        if self._held is not None:
            if len(self._held) < MOST_HELD:
                self._held.append((frame, once))
        elif once is None or once not in self._told:
            if once is not None:
                self._told.append(once)
            self._write(frame)

    def shown(self, lines: Iterable[str]) -> None:
        """These have been told, as a part of `call:state`."""
        self._told.extend(lines)

    def opened(self) -> None:
        """Tells what has come meanwhile."""
        held, self._held = self._held or [], None
        for frame, once in held:
            self.hear(frame, once)
