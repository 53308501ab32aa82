"""Sliding windows of requests in Redis: one round trip per count.

The only module that imports limits. Raises: TooMany with the seconds to wait; Unavailable if Redis is down.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from models.errors import TooMany, Unavailable
from models.redis import keys
from models.redis.client import Bus, Script
from models.redis.connection import AWAY
from models.settings.config import Config

CSP_REPORTS_PER_HOUR = 60


class BusStorage(RedisStorage):
    """The storage of the `limits` library on our own connection to Redis, in one round trip.

    The sliding window uses nothing else of the library's client, so that it never connects: it would take a
    connection of its own for each request, at several times the cost.
    """

    def __init__(self, bus: Bus) -> None:
        super().__init__("redis://", implementation="redispy", key_prefix=keys.LIMITS)
        self._bus = bus
        self._acquire = Script(self.bridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode())
        self._read = Script(self.bridge.SCRIPT_SLIDING_WINDOW.decode())

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return bool(await self._bus.run(self._acquire, self._names(key), limit, expiry, amount))

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Counts and seconds left, of the previous window and the current one."""
        found = await self._bus.run(self._read, self._names(key), expiry)
        before, before_ms, now, now_ms = (int(value or 0) for value in found)
        return before, max(0, before_ms) / 1000, now, max(0, now_ms) / 1000

    def _names(self, key: str) -> tuple[str, str]:
        """The previous window's key and the current one's, as the library names them."""
        current = self.bridge.prefixed_key(f"{{{key}}}")
        return f"{current}/-1", current


class RequestWindows:
    def __init__(self, bus: Bus, config: Config) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(BusStorage(bus))
        self._items: dict[str, RateLimitItem] = {
            "api": RateLimitItemPerMinute(config.api_per_minute),
            "guests": RateLimitItemPerHour(config.guests_per_hour),
            "turn": RateLimitItemPerHour(config.turn_per_hour),
            "turn_check": RateLimitItemPerHour(config.turn_checks_per_hour),
            "csp": RateLimitItemPerHour(CSP_REPORTS_PER_HOUR),
        }

    async def hit(self, kind: str, subject: str, times: int = 1) -> None:
        """Counts one request; `times` its limit is allowed. Raises: TooMany, Unavailable."""
        item = self._items[kind]
        item = type(item)(item.amount * times)
        try:
            if await self._limiter.hit(item, kind, subject):
                return
            stats = await self._limiter.get_window_stats(item, kind, subject)
        except AWAY as error:
            raise Unavailable from error
        raise TooMany(retry_after=max(1, math.ceil(stats.reset_time - time.time())))
