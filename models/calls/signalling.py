"""Frames between the two seats of a call when they are on different processes, or when the other seat is
empty.

Two seats on one process never come here: the hub writes straight across. A frame for an empty seat waits at
most 20 s / 64 frames / 64 KiB and is
delivered in order when the seat is taken. Frames are never on disk and never logged.
"""

from __future__ import annotations

from models.broadcasts import News, SeatGivenBack, SeatReplaced
from models.calls.state import Side
from models.redis import keys
from models.redis.client import Bus

MOST_FRAMES = 64
MOST_BYTES = 64 * 1024


class Signalling:
    def __init__(self, bus: Bus, news: News) -> None:
        self._bus, self._news = bus, news

    async def send(self, call_id: str, to: Side, frame: bytes) -> bool:
        """False when the frame was dropped, for too much is waiting already."""
        return bool(
            await self._bus.script("relay", call_id, to, frame, MOST_FRAMES, MOST_BYTES, keys.PARKED_SECONDS)
        )

    async def take(self, call_id: str, side: Side, socket_id: str) -> list[bytes]:
        """Takes the seat from any other socket; what waited for it, in order."""
        self._news.about_call(call_id, SeatReplaced(side=side, seat=socket_id))
        frames: list[bytes] = await self._bus.script("seat_take", call_id, side, socket_id, keys.SEAT_SECONDS)
        return frames

    def give_back(self, call_id: str, side: Side) -> None:
        """A socket that was replaced while it still opened has taken the seat, and has left it again."""
        self._news.about_call(call_id, SeatGivenBack(side=side))

    async def leave(self, call_id: str, side: Side, socket_id: str) -> None:
        """From now on frames wait; nothing happens when a newer socket has the seat."""
        await self._bus.script("seat_leave", call_id, side, socket_id)
