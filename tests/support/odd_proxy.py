"""A small proxy in front of the site that makes the usual mistakes, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable

from tests.support.listeners import stop_listening

Change = Callable[[bytes], bytes]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def proxy(to_port: int, port: int, change: Change, *, most_bytes: int = 1 << 30) -> AsyncIterator[None]:
    """Passes connections on; `change` rewrites the head of the first request of each. Bodies over
    `most_bytes` are answered 413, as nginx does.
    """

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if _length(head) > most_bytes:
            await _refuse(reader, writer, _length(head))
            return
        async with _connected(*await asyncio.open_connection("127.0.0.1", to_port)) as (answers, upstream):
            upstream.write(change(head))
            await asyncio.gather(_copy(reader, upstream), _copy(answers, writer))

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            async with _connected(reader, writer):
                await pass_on(reader, writer)
        serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        await stop_listening(server)
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving)


@contextlib.asynccontextmanager
async def _connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[Streams]:
    """Nothing of the connection is left afterwards."""
    try:
        yield reader, writer
        writer.close()
        await writer.wait_closed()
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


def without(*names: str) -> Change:
    """A proxy that drops these headers."""
    pattern = re.compile(rb"\r\n(?:%s):[^\r]*" % "|".join(names).encode(), re.IGNORECASE)
    return lambda head: pattern.sub(b"", head)


def replacing(name: str, value: str) -> Change:
    """A proxy that sets a header, whatever the client sent."""
    line = f"\r\n{name}: {value}\r\n".encode()
    return lambda head: without(name)(head).replace(b"\r\n", line, 1)


def _length(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int) -> None:
    await reader.readexactly(length)
    writer.write(b"HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
    writer.close()
