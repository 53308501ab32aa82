"""Relay of frames to a seat on another process, and buffering for an empty seat.

Between two seats on one process, the hub passes frames directly. Frames for an empty seat wait for at most 20
s (64 frames, 64 KiB) and are delivered in order when the seat is taken. Frames are never logged or written to
disk.
"""

from __future__ import annotations

from models.broadcasts import Broadcasts, SeatGivenBack, SeatReplaced
from models.calls.state import Side
from models.redis import keys
from models.redis.client import Bus

MOST_FRAMES = 64
MOST_BYTES = 64 * 1024


class Signalling:
    def __init__(self, bus: Bus, broadcasts: Broadcasts) -> None:
        self._bus, self._broadcasts = bus, broadcasts

    async def send(self, call_id: str, to: Side, frame: bytes) -> bool:
        """False if the frame was dropped because the buffer is full."""
        return bool(
            await self._bus.script(
                "calls.relay", call_id, to, frame, MOST_FRAMES, MOST_BYTES, keys.PARKED_SECONDS
            )
        )

    async def take(self, call_id: str, side: Side, socket_id: str) -> list[bytes]:
        """Takes the seat, also from another socket; returns the buffered frames in order."""
        self._broadcasts.publish_to_call(call_id, SeatReplaced(side=side, seat=socket_id))
        frames: list[bytes] = await self._bus.script(
            "calls.seat_take", call_id, side, socket_id, keys.SEAT_SECONDS
        )
        return frames

    def give_back(self, call_id: str, side: Side) -> None:
        """Publishes that a socket took the seat after it had been replaced, and has left it again."""
        self._broadcasts.publish_to_call(call_id, SeatGivenBack(side=side))

    async def leave(self, call_id: str, side: Side, socket_id: str) -> None:
        """Empties the seat, so that frames are buffered; does nothing if a newer socket has it."""
        await self._bus.script("calls.seat_leave", call_id, side, socket_id)
