"""How often somebody may do something. The one door to the `limits` library.

Keeps moments in Redis (a sliding window that costs one round trip) and wrong guesses in PostgreSQL, where
they survive an emptied Redis. Promises that tries in parallel do not get past a limit. Refuses with `TooMany`
and the seconds to wait; when Redis is away, with `Unavailable`. An IPv6 address counts with its whole /64,
for one household has all of it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import time
from typing import Any

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from models import keys
from models.bus import AWAY, COMMAND_SECONDS, Bus
from models.clock import Clock
from models.config import Config
from models.db import Db
from models.errors import TooMany, Unavailable

logger = logging.getLogger(__name__)
GUESS_SECONDS = 3600
CSP_REPORTS_PER_HOUR = 60


class RateLimits:
    """`hit` counts and judges at once.

    `check_guesses` goes before a look-up that might be a guess, `guess` after a miss.
    """

    def __init__(self, db: Db, bus: Bus, clock: Clock, config: Config) -> None:
        self._db, self._clock = db, clock
        self._sql = db.statements("rate_limits")
        # The bus's own pool, with its time limits; the address given here is never used.
        pool = bus.redis.connection_pool
        storage = RedisStorage(
            "redis://", implementation="redispy", key_prefix=keys.LIMITS, connection_pool=pool
        )
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._moments: dict[str, RateLimitItem] = {
            "api": RateLimitItemPerMinute(config.api_per_minute),
            "guests": RateLimitItemPerHour(config.guests_per_hour),
            "turn": RateLimitItemPerHour(config.turn_per_hour),
            "turn_check": RateLimitItemPerHour(config.turn_checks_per_hour),
            "csp": RateLimitItemPerHour(CSP_REPORTS_PER_HOUR),
        }
        self._guesses = {"code": config.unknown_codes_per_hour}

    async def hit(self, kind: str, subject: str) -> None:
        """Counts one `api`, `guests`, `turn`, `turn_check` or `csp` of a person or an address.

        Raises TooMany, Unavailable.
        """
        item, key = self._moments[kind], (kind, subject_of(subject))
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                if not await self._limiter.hit(item, *key):
                    stats = await self._limiter.get_window_stats(item, *key)
                    raise TooMany(retry_after=max(1, math.ceil(stats.reset_time - time.time())))
        except AWAY as error:
            logger.warning("redis away: %s", type(error).__name__)
            raise Unavailable from error

    async def check_guesses(self, kind: str, subject: str) -> None:
        """Before a look-up. Raises TooMany when this hour's wrong guesses are used up."""
        self._judge(await self._sql.value("wait_seconds", **self._values(kind, subject)))

    async def guess(self, kind: str, subject: str) -> None:
        """Counts a wrong guess.

        Raises TooMany instead of letting more than the limit be answered, however many come at once.
        """
        values = self._values(kind, subject)
        async with self._db.transaction() as on:
            await self._sql.run("lock_subject", on=on, kind=values["kind"], subject=values["subject"])
            wait = await self._sql.value("wait_seconds", on=on, **values)
            if wait is None:
                await self._sql.run("count_guess", on=on, **values)
        self._judge(wait)

    def _values(self, kind: str, subject: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "subject": subject_of(subject),
            "most": self._guesses[kind],
            "window": GUESS_SECONDS,
            "now": self._clock.frozen,
        }

    @staticmethod
    def _judge(wait: float | None) -> None:
        if wait is not None:
            raise TooMany(retry_after=max(1, math.ceil(wait)))


def subject_of(subject: str) -> str:
    """Who is counted: a person's id as it is, an IPv4 address as it is, an IPv6 address as its /64."""
    try:
        address = ipaddress.ip_address(subject)
    except ValueError:
        return subject
    if isinstance(address, ipaddress.IPv4Address):
        return subject
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
