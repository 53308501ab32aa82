"""Retries for work that must be done even though PostgreSQL or Redis is down.

For work that no user waits for, like the end of a socket. A user's request is not retried here: the user gets
an error and tries again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from models.errors import Problem, Unavailable

logger = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0
MOST_FAILURES = 5


async def retry_until_available(
    work: Callable[[], Awaitable[None]], again_seconds: float = AGAIN_SECONDS
) -> None:
    """Runs `work`, possibly more than once. Outages are retried without limit, any other internal error five
    times.

    Raises: any Problem that `work` raises, and the last of the five errors.
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
            logger.exception("work that must be done has failed and will be retried")
            pause = again_seconds * 2.0**failures
        await asyncio.sleep(pause)
