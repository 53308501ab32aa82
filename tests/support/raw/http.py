"""HTTP requests whose bytes no client library would send."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

HOST = b"Host: localhost"
HANGS = 599


@dataclass(frozen=True)
class RawRequest:
    method: str
    target: bytes
    headers: tuple[bytes, ...] = ()
    body: bytes = b""
    host: tuple[bytes, ...] = field(default=(HOST,))

    @property
    def bytes(self) -> bytes:
        length = (b"Content-Length: %d" % len(self.body),) if self.body or self.method == "POST" else ()
        lines = (*self.host, b"Connection: close", *length, *self.headers)
        return b"\r\n".join(
            [self.method.encode() + b" " + self.target + b" HTTP/1.1", *lines, b"", self.body]
        )


async def answer_to(port: int, request: RawRequest, seconds: float = 20.0) -> tuple[int, bytes]:
    """(status, the whole answer); status 0 for no answer, and HANGS if the connection stays open."""
    reader, writer = await asyncio.open_connection("localhost", port)
    whole = b""
    try:
        async with asyncio.timeout(seconds):
            writer.write(request.bytes)
            with contextlib.suppress(ConnectionError):
                while more := await reader.read(1 << 16):
                    whole += more
    except TimeoutError:
        return HANGS, whole
    finally:
        writer.transport.abort()
    return int(whole.split(b" ", 2)[1]) if whole.startswith(b"HTTP/") else 0, whole
