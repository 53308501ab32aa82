"""The length of a video by its pictures, and the limits of its length and of its rates."""

from __future__ import annotations

from typing import Any

from models.errors import Invalid

LEAST_SECONDS, MOST_SECONDS = 5, 60
# A recorder stopped at sixty seconds records a little more.
LATE_SECONDS = 0.5
MOST_PICTURES, MOST_SOUNDS = 61 * 60, 61 * 1500
TOO_LONG = f"A video may be {MOST_SECONDS} seconds long at most."


class VideoTimes:
    """The length by the pictures, since a header may have none (browser recordings) or a wrong one."""

    def __init__(self) -> None:
        self._pictures = self._sounds = 0
        self._first, self._last, self._end = float("inf"), float("-inf"), float("-inf")
        self._start = float("inf")

    def see(self, packet: Any, *, is_picture: bool) -> float:
        """The packet's position relative to the longest video, from 0 to 1. Raises: Invalid."""
        stamp = packet.dts if packet.pts is None else packet.pts
        at = None if stamp is None else float(stamp * packet.time_base)
        if at is None or abs(at - min(self._start, at)) > MOST_SECONDS + 2:
            raise Invalid(TOO_LONG)
        self._start = min(self._start, at)
        self._count(is_picture)
        if is_picture:
            self._first, self._last = min(self._first, at), max(self._last, at)
            self._end = max(self._end, at + float((packet.duration or 0) * packet.time_base))
        return min(1.0, (at - self._start) / MOST_SECONDS)

    def _count(self, is_picture: bool) -> None:
        self._pictures += is_picture
        self._sounds += not is_picture
        if self._pictures > MOST_PICTURES:
            raise Invalid("A video may have 60 pictures a second at most.")
        if self._sounds > MOST_SOUNDS:
            raise Invalid("This video has more sound in it than a minute can hold.")

    def seconds(self) -> float:
        """Raises Invalid."""
        seconds = 0.0
        if self._pictures > 1:
            between = (self._last - self._first) / (self._pictures - 1)
            # The last picture: its own duration or the average, whichever is longer, at most a second.
            seconds = max(self._last + min(between, 1.0), min(self._end, self._last + 1.0)) - self._first
        if seconds < LEAST_SECONDS:
            raise Invalid(f"A video needs {LEAST_SECONDS} seconds at least.")
        if seconds > MOST_SECONDS + LATE_SECONDS:
            raise Invalid(TOO_LONG)
        return seconds
