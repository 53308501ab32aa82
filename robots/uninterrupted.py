"""Work that a cancellation does not interrupt: aiortc and websockets leave sockets behind otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Returns when `work` has ended. A caller that is cancelled waits for that end too."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # It is not the caller's any more.
        raise
