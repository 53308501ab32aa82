"""Downloads to clients that may be slow or may have stopped reading.

No slot and no database connection is held while a chunk is sent. If a client does not take a chunk in time,
the connection is closed, and the length in the headers shows the client that the file is incomplete.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

# A chunk has at most 1 MiB, and part of it sits in buffers: anything slower than 17 KB/s is cut off.
CHUNK_SECONDS = 60.0
WHOLE_SECONDS = 1800.0


async def send(handler: RequestHandler, chunks: AsyncIterator[bytes]) -> None:
    """Sends all chunks as fast as the client takes them. A client that leaves or stalls is not an error."""
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            async for chunk in chunks:
                handler.write(chunk)
                async with asyncio.timeout(CHUNK_SECONDS):
                    await handler.flush()
    except TimeoutError:
        cut_off(handler)
    except StreamClosedError:
        pass


def cut_off(handler: RequestHandler) -> None:
    """Closes the connection: the rest is missing, although its length was announced."""
    connection: Any = handler.request.connection
    connection.stream.close()
