"""The order of frames for one seat: nothing before its `call:state`, and each chat line once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

MOST_HELD = 256
MOST_REMEMBERED = 256


class SeatOrder:
    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        # Frames that wait while the seat opens; None afterwards.
        self._held: list[tuple[bytes, str | None]] | None = []
        # The ids of the newest chat lines sent to this seat.
        self._sent: deque[str] = deque(maxlen=MOST_REMEMBERED)

    @property
    def is_opening(self) -> bool:
        return self._held is not None

    def push(self, frame: bytes, once: str | None = None) -> None:
        """Writes a frame, or holds it while the seat opens. A line `once` is written only once."""
        if self._held is not None:
            if len(self._held) < MOST_HELD:
                self._held.append((frame, once))
        elif once is None or once not in self._sent:
            if once is not None:
                self._sent.append(once)
            self._write(frame)

    def shown(self, lines: Iterable[str]) -> None:
        """Records lines that were sent as part of `call:state`."""
        self._sent.extend(lines)

    def opened(self) -> None:
        """Writes the frames that were held while the seat opened."""
        held, self._held = self._held or [], None
        for frame, once in held:
            self.push(frame, once)
