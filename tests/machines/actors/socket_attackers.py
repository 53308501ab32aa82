"""Attackers of sockets: `python -m tests.machines.actors.socket_attackers PORT SECONDS TOKEN…`.

Each kind attacks again and again until the time is over, and counts what it did; it connects to loopback
only.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable

from tests.machines.actors.tally import attack, note, tell
from tests.support.raw.socket import CONT, PING, PONG, TEXT, RawSocket, frame, text

MUCH = b"\x82" * 180 * 2**20
PAUSE, SLOW_HEADS = 0.2, 300
Attack = Callable[[int, str], Awaitable[None]]


async def opened(port: int, token: str) -> RawSocket:
    socket = await RawSocket.open(port, "/ws/invites", token)
    note("connections")
    return socket


async def unmasked(port: int, _token: str) -> None:
    """Refused with 4401; then one frame without a mask, and 180 MB."""
    socket = await opened(port, "nobody")
    await pour(socket, frame(TEXT, b"{}", mask=b"") + MUCH)


async def refused(port: int, _token: str) -> None:
    """Refused with 4401; then a flood of valid frames."""
    socket = await opened(port, "nobody")
    await pour(socket, (frame(PING) + text("x" * 100)) * 200_000)


async def pings(port: int, token: str) -> None:
    socket = await opened(port, token)
    await pour(socket, frame(PING, b"x" * 100) * 100_000)


async def fragments(port: int, token: str) -> None:
    socket = await opened(port, token)
    await pour(socket, frame(TEXT, b"{", fin=False) + (frame(CONT, fin=False) + frame(PONG)) * 200_000)


async def messages(port: int, token: str) -> None:
    """Sends as fast as possible, and reads no answer."""
    socket = await opened(port, token)
    socket.stop_reading()
    await pour(socket, text({"type": "ping", "id": "x" * 60}) * 50_000)


async def never_reads(port: int, token: str) -> None:
    """Sends at an allowed pace, until it is disconnected."""
    socket = await opened(port, token)
    socket.stop_reading()
    began = time.monotonic()
    while time.monotonic() - began < 10 and not socket.writer.transport.is_closing():
        socket.send(text({"type": "ping", "id": "x" * 60}), frame(PING, b"x" * 125))
        note("bytes", 200)
        await asyncio.sleep(0.15)
    socket.close()


async def large(port: int, token: str) -> None:
    """Frames of 64 KiB, and one that claims to have 2**62 bytes."""
    socket = await opened(port, token)
    await pour(socket, (text("x" * 65_536) * 30) + b"\x81\xff" + (2**62).to_bytes(8) + MUCH)


async def slow_heads(port: int, _token: str) -> None:
    await asyncio.gather(*(slow_head(port) for _ in range(SLOW_HEADS)), return_exceptions=True)


async def slow_head(port: int) -> None:
    reader, writer = await asyncio.open_connection("localhost", port)
    note("connections")
    ended = asyncio.ensure_future(reader.read())
    for byte in b"GET / HTTP/1.1\r\nX: " + b"x" * 60_000:
        writer.write(bytes([byte]))
        note("bytes")
        await asyncio.wait([ended], timeout=1)
        if ended.done():
            note("ended")
            break
    writer.transport.abort()
    await ended


async def pour(socket: RawSocket, data: bytes) -> None:
    """Sends everything until the server ends the connection."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        for at in range(0, len(data), 1 << 20):
            if socket.writer.transport.is_closing():
                break
            socket.writer.write(data[at : at + (1 << 20)])
            async with asyncio.timeout(8):
                await socket.writer.drain()
            note("bytes", 1 << 20)
        await socket.ended(8)
    if socket.writer.transport.is_closing() or socket.reader.at_eof():
        note("ended")
    socket.close()


ATTACKS: tuple[Attack, ...] = (
    unmasked, refused, pings, fragments, messages, never_reads, large, slow_heads,
)  # fmt: skip


async def again_and_again(kind: Attack, port: int, token: str, end: float) -> None:
    attack.set(kind.__name__)
    while time.monotonic() < end:
        with contextlib.suppress(OSError, AssertionError, asyncio.IncompleteReadError):
            await kind(port, token)
        await asyncio.sleep(PAUSE)


async def main(port: int, seconds: float, tokens: list[str]) -> None:
    end = time.monotonic() + seconds
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(
                *(again_and_again(one, port, tokens[at % len(tokens)], end) for at, one in enumerate(ATTACKS))
            )
    tell()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]))
