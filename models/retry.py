"""Work that must be done although PostgreSQL or Redis is away: it is retried until it is done.

For what no user waits for, like the end of a socket. What a user has asked for is not retried here: the user
gets an error and asks again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from models.errors import Problem, Unavailable

logger = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0
MOST_FAILURES = 5


async def persist(work: Callable[[], Awaitable[None]], again_seconds: float = AGAIN_SECONDS) -> None:
    """`work` may run more than once. An outage is retried without end, any other fault of ours five times.

    Raises: what `work` refuses (a Problem), and the last of the five.
    """
    failures = 0
    while True:
        try:
            return await work()
        except Unavailable:
            pause = again_seconds
        except Problem:
            raise
        except Exception:
            failures += 1
            if failures == MOST_FAILURES:
                raise
            logger.exception("work that must be done has failed, and is tried again")
            pause = again_seconds * 2.0**failures
        await asyncio.sleep(pause)
