"""A light client for HTTP GET on a kept-alive connection and for WebSockets (RFC 6455).

Made for load: it parses no more than it must. Frames are masked with a key of zeros, which costs the client
nothing and the server the same as any other key. Supports only unfragmented text frames, as the server sends
them. There are no time limits: the caller sets one for a whole piece of work.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections import Counter, deque
from collections.abc import Callable
from typing import Self, cast

import msgspec

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
NO_KEY = bytes(4)


class HttpConnection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    @classmethod
    async def open(cls, port: int) -> Self:
        _, connection = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    async def get(self, path: str, token: str, *, accept: str = "application/json", extra: str = "") -> bytes:
        """The body of a 200; any other status raises."""
        self._answer = asyncio.get_running_loop().create_future()
        head = (
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nAuthorization: Bearer {token}\r\n"
        )
        self._transport.write(f"{head}{extra}\r\n".encode())
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, mark, body = self._buffer.partition(b"\r\n\r\n")
        if not mark or len(body) < _length(head):
            return
        self._buffer = b""
        if self._answer is None or self._answer.done():
            return
        if head.startswith(b"HTTP/1.1 200"):
            self._answer.set_result(body)
        else:
            self._answer.set_exception(RuntimeError(head.decode() + body.decode()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    @property
    def is_open(self) -> bool:
        """False once the server has closed it, as it does with idle ones."""
        return not self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.index(b"content-length:") + len(b"content-length:")
    return int(lower[at:].split(b"\r\n", 1)[0])


class WireSocket(asyncio.Protocol):
    """One socket. `receive(type)` waits for a frame of that type; `counts` counts all frames. With a `taker`,
    the bytes go there as they arrive, and it passes the frames that it does not know to `heard`.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.counts: Counter[str] = Counter()
        self.close_code: int | None = None
        self.is_closed: asyncio.Future[None] = loop.create_future()
        self._is_open: asyncio.Future[None] = loop.create_future()
        self._inbox: dict[str, deque[bytes]] = {}
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._buffer = bytearray()
        self._upgraded = False
        self.taker: Callable[[bytes], None] | None = None

    @classmethod
    async def open(cls, port: int, path: str, token: str) -> Self:
        _, socket = await asyncio.get_running_loop().create_connection(cls, "127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        socket._transport.write(head.encode())
        await socket._is_open
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    # -- out --

    def send(self, **message: object) -> None:
        self.send_frame(msgspec.json.encode(message))

    def send_frame(self, payload: bytes, opcode: int = TEXT) -> None:
        self.send_ready(framed(payload, opcode))

    def send_ready(self, frames: bytes) -> None:
        """Sends encoded frames, any number of them in one write."""
        self._transport.write(frames)

    # -- in --

    async def receive(self, kind: str) -> bytes:
        """The next frame of this type, oldest first. Raises: ConnectionError."""
        waiting = self._inbox.get(kind)
        if waiting:
            return waiting.popleft()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[kind] = future
        return await future

    async def closed(self) -> int | None:
        await asyncio.shield(self.is_closed)
        return self.close_code

    def data_received(self, data: bytes) -> None:
        if self.taker is not None:
            self.taker(data)
            return
        self._buffer += data
        if not self._upgraded and not self._take_head():
            return
        while self._take_frame():
            pass

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status, self._upgraded = bytes(self._buffer[:12]), True
        del self._buffer[: end + 4]
        if status == b"HTTP/1.1 101":
            self._is_open.set_result(None)
        else:
            self._is_open.set_exception(ConnectionError(status.decode()))
        return status == b"HTTP/1.1 101"

    def _take_frame(self) -> bool:
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, start = buffer[1], 2
        if size == 126:
            if len(buffer) < 4:
                return False
            size, start = int.from_bytes(buffer[2:4], "big"), 4
        if len(buffer) < start + size:
            return False
        opcode, payload = buffer[0] & 15, bytes(buffer[start : start + size])
        del buffer[: start + size]
        self.heard(opcode, payload)
        return True

    def heard(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self._deliver(payload)
        elif opcode == PING:
            self.send_frame(payload, PONG)
        elif opcode == CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big")
            self.send_frame(payload[:2], CLOSE)

    def _deliver(self, payload: bytes) -> None:
        # Every frame begins with {"type":"
        self._hear(payload[9 : payload.index(b'"', 9)].decode(), payload)

    def _hear(self, kind: str, payload: bytes) -> None:
        self.counts[kind] += 1
        future = self._waiting.pop(kind, None)
        if future is not None and not future.done():
            future.set_result(payload)
        elif kind != "queue:update":
            self._inbox.setdefault(kind, deque()).append(payload)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_closed.done():
            self.is_closed.set_result(None)
        error = ConnectionError(f"closed with {self.close_code}")
        if not self._is_open.done():
            self._is_open.set_exception(error)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)

    def close(self) -> None:
        """Closes without a closing handshake, like a page that is left."""
        self._transport.close()


def framed(payload: bytes, opcode: int = TEXT) -> bytes:
    """One client frame of up to 64 KiB."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + NO_KEY + payload


def field_of(frame: bytes, name: str) -> str:
    """A text field of a flat message, without parsing the rest."""
    mark = f'"{name}":"'.encode()
    start = frame.index(mark) + len(mark)
    return frame[start : frame.index(b'"', start)].decode()
