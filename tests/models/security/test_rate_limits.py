"""Limits: counted at once, however many come together; wrong guesses outlive Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

import pytest

from models.errors import TooMany, Unavailable
from models.redis.client import Bus
from models.security.rate_limits import RateLimits
from models.settings.config import Config
from models.wiring import Models

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOME, AWAY = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def config() -> Config:
    """The limits as they are by default."""
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
    limits = RateLimits(models.db, nowhere, models.clock, models.config)
    with pytest.raises(Unavailable):
        await limits.hit("api", HOME)
    await nowhere.close()


async def use_up(limits: RateLimits, guesses: int) -> None:
    for _ in range(guesses):
        await limits.guess("code", HOME)
