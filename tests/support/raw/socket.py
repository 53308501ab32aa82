"""A WebSocket client that writes and reads single frames (RFC 6455, section 5), valid or not."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG, CONT = 1, 2, 8, 9, 10, 0
FIN = 0x80
GONE = (asyncio.IncompleteReadError, ConnectionError)
HEAD = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
    "Authorization: Bearer {token}\r\n{headers}\r\n"
)


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bytes = b"\1\2\3\4", rsv: int = 0
) -> bytes:
    """One frame; without a mask if that is empty."""
    size, bit = len(payload), FIN if mask else 0
    first = (FIN if fin else 0) | rsv << 4 | opcode
    if size < 126:
        head = bytes([first, bit | size])
    elif size < 1 << 16:
        head = bytes([first, bit | 126]) + size.to_bytes(2)
    else:
        head = bytes([first, bit | 127]) + size.to_bytes(8)
    hidden = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask.strip(b"\0") else payload
    return head + mask + hidden


def text(message: str | dict[str, Any]) -> bytes:
    return frame(TEXT, (message if isinstance(message, str) else json.dumps(message)).encode())


@dataclass
class RawSocket:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(
        cls, port: int, path: str, token: str, *, early: bytes = b"", headers: str = ""
    ) -> RawSocket:
        """Opens a socket; returns after the 101. `early` is sent together with the request."""
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(HEAD.format(path=path, token=token, headers=headers).encode() + early)
        socket = cls(reader, writer)
        assert b"HTTP/1.1 101 " in (head := await reader.readuntil(b"\r\n\r\n")), head
        return socket

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def read(self) -> tuple[int, bytes]:
        """The next frame: its opcode and payload. Raises: one of GONE, at the end."""
        first, size = await self.reader.readexactly(2)
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
        assert first & FIN
        return first & 15, await self.reader.readexactly(size)

    async def until_opcode(self, *opcodes: int, seconds: float = 5.0) -> tuple[int, bytes]:
        async with asyncio.timeout(seconds):
            while True:
                opcode, payload = await self.read()
                if opcode in opcodes:
                    return opcode, payload

    async def message(self, kind: str, seconds: float = 5.0) -> dict[str, Any]:
        while True:
            told = json.loads((await self.until_opcode(TEXT, seconds=seconds))[1])
            if told["type"] == kind:
                return dict(told)

    async def close_code(self, seconds: float = 5.0) -> int:
        """The code of the server's Close frame; 1005 if it has none. Raises: one of GONE."""
        _, payload = await self.until_opcode(CLOSE, seconds=seconds)
        return int.from_bytes(payload[:2]) if payload else 1005

    async def ended(self, seconds: float = 5.0) -> None:
        """Waits until the server has ended the TCP connection."""
        async with asyncio.timeout(seconds):
            with contextlib.suppress(*GONE):
                while await self.reader.read(1 << 16):
                    pass

    def stop_reading(self) -> None:
        self.writer.transport.pause_reading()  # type: ignore[attr-defined]

    def read_on(self) -> None:
        self.writer.transport.resume_reading()  # type: ignore[attr-defined]

    @property
    def unsent(self) -> int:
        """The number of bytes that the server's side has not accepted yet, beyond the kernel's buffers."""
        return int(self.writer.transport.get_write_buffer_size())

    def close(self) -> None:
        self.writer.transport.abort()
