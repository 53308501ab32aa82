"""One seat of a pair that counts a single known message and passes all others to its socket.

Every frame is compared with what was sent, byte for byte: a changed frame is never counted, so that waiting
for it fails.
"""

from __future__ import annotations

import asyncio

from bench.client.connections import WireSocket, framed

HOME_SECONDS = 10.0


class Expected:
    """The number of messages that are still under way."""

    def __init__(self, count: int) -> None:
        self._left, self._all_came = count, asyncio.Event()

    def came(self, count: int) -> None:
        self._left -= count
        if self._left == 0:
            self._all_came.set()

    async def all(self) -> None:
        """Raises: TimeoutError, if a message was lost."""
        async with asyncio.timeout(HOME_SECONDS):
            await self._all_came.wait()


class Catcher:
    """`frame` is the message as a client of this relay sends and receives it."""

    def __init__(self, socket: WireSocket, frame: bytes) -> None:
        self._socket, self._frame, self._ready, self._rest = socket, frame, framed(frame), b""
        socket.taker = self._take

    def throw(self, count: int = 1) -> None:
        """Sends this many messages in one write."""
        self._socket.send_ready(self._ready * count)

    def caught(self, count: int) -> None:
        """Called with the number of messages received in one read."""
        raise NotImplementedError

    def _take(self, data: bytes) -> None:
        came, self._rest = self._split(self._rest + data)
        if came:
            self.caught(came)

    def _split(self, data: bytes) -> tuple[int, bytes]:
        """The number of our frames in the data, and the beginning of the next frame."""
        at, size, came = 0, len(data), 0
        while size - at >= 2:
            length, head = data[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, head = data[head] << 8 | data[head + 1], at + 4
            end = head + length
            if end > size:
                break
            if data[head:end] == self._frame:
                came += 1
            else:
                self._socket.heard(data[at] & 15, data[head:end])
            at = end
        return came, data[at:]
