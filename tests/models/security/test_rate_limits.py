"""Rate limits: exact for concurrent requests; wrong guesses survive an emptied Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from models.errors import Contended, NotSignedIn, TooMany, Unavailable
from models.redis.client import Bus
from models.security.addresses import NETWORKS
from models.security.rate_limits import RateLimits
from models.settings.config import Config
from models.wiring import Models
from tests.support.scenes import until

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOME, AWAY = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def config() -> Config:
    """The default limits."""
    return Config()


async def passes(attempt: Awaitable[None]) -> bool:
    try:
        await attempt
    except TooMany as problem:
        return not (problem.retry_after or 0) >= 1
    return True


async def how_many_pass(attempts: list[Awaitable[None]]) -> int:
    return sum(await asyncio.gather(*[passes(attempt) for attempt in attempts]))


async def test_parallel_requests_do_not_exceed_the_limit(models: Models) -> None:
    limit = models.config.guests_per_hour
    assert await how_many_pass([models.rate_limits.hit("guests", HOME) for _ in range(50)]) == limit


async def test_each_subject_and_each_kind_has_its_own_count(models: Models) -> None:
    limits = models.rate_limits
    await how_many_pass([limits.hit("guests", HOME) for _ in range(50)])
    assert await passes(limits.hit("guests", AWAY))
    assert await passes(limits.hit("turn", HOME))


async def test_parallel_guesses_are_answered_up_to_the_limit(models: Models) -> None:
    limit = models.config.unknown_codes_per_hour
    assert await how_many_pass([models.rate_limits.guess("code", HOME) for _ in range(50)]) == limit


async def test_the_guess_limit_affects_only_its_own_subject(models: Models) -> None:
    await use_up(models.rate_limits, models.config.unknown_codes_per_hour)
    assert not await passes(models.rate_limits.guess("code", HOME))
    assert await passes(models.rate_limits.guess("code", AWAY))


async def test_all_networks_of_an_ipv6_customer_together_have_a_limit(models: Models) -> None:
    """A customer with a /48 has 65,536 networks."""
    limits, config = models.rate_limits, models.config

    async def passed(ask: Callable[[str], Awaitable[None]], each: int, customer: str) -> int:
        places = [f"2001:db8:{customer}:{network:x}::1" for network in range(NETWORKS + 4)]
        return sum([await passes(ask(place)) for place in places for _ in range(each)])

    def check(place: str) -> Awaitable[None]:
        return limits.hit("turn_check", place)

    def guess(place: str) -> Awaitable[None]:
        return limits.guess("code", place)

    for ask, most in ((check, config.turn_checks_per_hour), (guess, config.unknown_codes_per_hour)):
        assert await passed(ask, most + 1, "a") == NETWORKS * most
        assert await passes(ask("2001:db8:b::1"))


async def test_guesses_of_one_address_take_one_connection(models: Models) -> None:
    """Another process has locked the address: guesses from there wait, other users do not."""
    async with locked(models, HOME):
        guesses = [asyncio.ensure_future(models.rate_limits.guess("code", HOME)) for _ in range(60)]
        await until(lambda: lock_waits(models))
        for n in range(5):
            assert await passes(models.rate_limits.guess("code", f"192.0.2.{n}"))
        assert await lock_waits(models) == 1
    ended = await asyncio.gather(*guesses, return_exceptions=True)
    assert ended.count(None) == models.config.unknown_codes_per_hour
    assert {type(one) for one in ended if one is not None} <= {TooMany, Contended}


async def test_sign_ins_of_one_address_take_one_connection(models: Models) -> None:
    async def fail(account: str) -> None:
        async with models.rate_limits.attempt(account, HOME):
            raise NotSignedIn

    async with locked(models, HOME, "sign_in_address"):
        attempts = [asyncio.ensure_future(fail(f"person {n}")) for n in range(60)]
        await until(lambda: lock_waits(models))
        assert await passes(models.rate_limits.guess("code", AWAY))
        assert await lock_waits(models) == 1
    ended = await asyncio.gather(*attempts, return_exceptions=True)
    assert {type(one) for one in ended} <= {NotSignedIn, TooMany, Contended}


async def test_those_over_the_limit_wait_for_no_lock(models: Models) -> None:
    await use_up(models.rate_limits, models.config.unknown_codes_per_hour)
    async with locked(models, HOME):
        with pytest.raises(TooMany) as refused:
            await models.rate_limits.guess("code", HOME)
    assert refused.value.retry_after is not None
    assert refused.value.retry_after > 3000


async def test_guesses_survive_an_emptied_redis(models: Models) -> None:
    await use_up(models.rate_limits, models.config.unknown_codes_per_hour)
    await models.bus.command("flushall")
    assert not await passes(models.rate_limits.guess("code", HOME))


async def test_a_guess_is_forgotten_after_an_hour_to_the_second(models: Models) -> None:
    models.clock.freeze(NOON)
    await use_up(models.rate_limits, models.config.unknown_codes_per_hour)
    models.clock.advance(seconds=3599)
    with pytest.raises(TooMany) as refused:
        await models.rate_limits.guess("code", HOME)
    assert refused.value.retry_after == 1
    models.clock.advance(seconds=1)
    await models.rate_limits.guess("code", HOME)


async def test_without_redis_requests_are_refused(models: Models) -> None:
    nowhere = Bus("redis://127.0.0.1:1", "test")
    limits = RateLimits(models.db, nowhere, models.clock, models.config, models.site_secret)
    with pytest.raises(Unavailable):
        await limits.hit("api", HOME)
    await nowhere.close()


@asynccontextmanager
async def locked(models: Models, subject: str, kind: str = "code") -> AsyncIterator[None]:
    """Locks a subject, as another process does while it counts."""
    sql = models.db.statements("security.rate_limits")
    subject = await models.rate_limits.mark(kind, subject)
    async with models.db.transaction() as on:
        await sql.run("lock_subject", on=on, kind=kind, subject=subject)
        yield


async def lock_waits(models: Models) -> int:
    """The number of our connections that wait for a subject."""
    async with models.db.link() as link:
        await link.execute("select count(*) from pg_locks where locktype = 'advisory' and not granted")
        return int(link.cursor.fetchone()[0])


async def use_up(limits: RateLimits, guesses: int) -> None:
    for _ in range(guesses):
        await limits.guess("code", HOME)
