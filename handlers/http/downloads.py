"""Files on their way to a reader who may be slow, or may have stopped.

No slot and no database connection is held while a chunk is sent. A reader who does not take a chunk in time
is ended: the connection is closed, and the length in the headers tells the reader that something is missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

# A chunk has 1 MiB at most, and some of it lies in buffers on the way: slower than 17 KB/s is no download.
CHUNK_SECONDS = 60.0
WHOLE_SECONDS = 1800.0


async def send(handler: RequestHandler, chunks: AsyncIterator[bytes]) -> None:
    """All chunks, as fast as the reader takes them. A reader who leaves or stalls is no fault."""
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
    """There is no rest, and a length has been promised."""
    connection: Any = handler.request.connection
    connection.stream.close()
