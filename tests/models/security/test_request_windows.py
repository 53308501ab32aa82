"""Windows of requests in Redis: what the library's own client would count."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from models.redis import keys
from models.security.request_windows import BusStorage
from models.wiring import Models
from tests.support.servers import Servers

TWO = RateLimitItemPerMinute(2)


async def test_hits_are_those_of_the_librarys_own_client(models: Models, servers: Servers) -> None:
    ours = SlidingWindowCounterRateLimiter(BusStorage(models.bus))
    storage = RedisStorage(f"async+{servers.redis_url}", implementation="redispy", key_prefix=keys.LIMITS)
    theirs = SlidingWindowCounterRateLimiter(storage)
    assert await ours.hit(TWO, "api", "anna")
    assert await theirs.hit(TWO, "api", "anna")
    assert not await ours.hit(TWO, "api", "anna")
    assert await ours.hit(TWO, "api", "ben")
    mine, other = [await one.get_window_stats(TWO, "api", "anna") for one in (ours, theirs)]
    assert mine.remaining == other.remaining == 0
    assert abs(mine.reset_time - other.reset_time) < 10
    await storage.bridge.get_connection().aclose()


async def test_nothing_counted_is_no_window(models: Models) -> None:
    ours = SlidingWindowCounterRateLimiter(BusStorage(models.bus))
    assert (await ours.get_window_stats(TWO, "api", "nobody")).remaining == 2
