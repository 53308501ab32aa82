"""Work that must be done though PostgreSQL or Redis is away for a while: it is tried anew each second
until it is done.

For what the person concerned is not waiting for: a socket that has closed. Nothing else is retried
here, least of all what somebody has asked for; they are told, and ask again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from models.errors import Unavailable

AGAIN_SECONDS = 1.0


async def persist(work: Callable[[], Awaitable[None]], again_seconds: float = AGAIN_SECONDS) -> None:
    """Does no harm when done twice: that is for `work` to see to. Any other failure is raised."""
    while True:
        try:
            return await work()
        except Unavailable:
            await asyncio.sleep(again_seconds)
