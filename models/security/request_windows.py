"""The storage of the `limits` library on our own connection to Redis: its keys, its scripts, one round trip.

redis-py's client would take a connection of its own for each request, at several times the cost.
"""

from __future__ import annotations

from limits.aio.storage import RedisStorage

from models.redis import keys
from models.redis.client import Bus, Script


class BusStorage(RedisStorage):
    """What the sliding window needs; nothing else of the library's client is used, so it never connects."""

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
