"""Limits of sign-ins: counted first, uncounted on success, and never locking the owner out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from models.errors import Conflict, Invalid, NotSignedIn, TooMany, Unavailable
from models.security.rate_limits import MOST_WAITING, SIGN_INS_AT_ONCE, RateLimits
from models.settings.config import Config
from models.wiring import Models

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOME, AWAY = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def config() -> Config:
    """The default limits."""
    return Config()


async def attempt(limits: RateLimits, account: str | None, address: str, end: Exception | None = None) -> str:
    """The outcome: `in`, `wrong`, or `limited`."""
    try:
        async with limits.attempt(account, address):
            await asyncio.sleep(0)
            if end is not None:
                raise end
    except TooMany as problem:
        return "limited" if problem.retry_after else "limited without a word"
    except Exception as problem:
        return "wrong" if problem is end else "another fault"
    return "in"


async def wrong(limits: RateLimits, account: str | None = "ann", address: str = HOME) -> str:
    return await attempt(limits, account, address, NotSignedIn())


async def test_the_sixth_failure_is_refused(models: Models) -> None:
    results = [await wrong(models.rate_limits) for _ in range(6)]
    assert results == ["wrong"] * 5 + ["limited"]
    assert await attempt(models.rate_limits, "ann", HOME) == "limited"


async def test_failures_from_elsewhere_do_not_lock_the_owner_out(models: Models) -> None:
    for n in range(30):
        await wrong(models.rate_limits, address=f"192.0.2.{n // 5}")
    assert await attempt(models.rate_limits, "ann", AWAY) == "in"


async def test_an_address_has_twenty_failures_over_all_accounts(models: Models) -> None:
    results = [await wrong(models.rate_limits, f"person {n}") for n in range(21)]
    assert results == ["wrong"] * 20 + ["limited"]
    assert await attempt(models.rate_limits, None, HOME) == "limited"
    assert await attempt(models.rate_limits, "person 3", AWAY) == "in"


async def test_fifty_concurrent_attempts_do_not_exceed_the_limit(models: Models) -> None:
    results = await asyncio.gather(*[wrong(models.rate_limits) for _ in range(50)])
    assert results.count("wrong") == 5
    everybody = [f"person {n}" for n in range(40)]
    spread = await asyncio.gather(*[wrong(models.rate_limits, one, AWAY) for one in everybody])
    assert spread.count("wrong") == 20


async def test_many_sign_ins_from_one_address_are_not_failures(models: Models) -> None:
    """More than the allowed failures of an address; running attempts are counted but are not failures."""
    limits = models.rate_limits
    results = await asyncio.gather(*[attempt(limits, f"pupil {n}", HOME) for n in range(40)])
    assert results == ["in"] * 40
    assert await asyncio.gather(*[attempt(limits, "ann", HOME) for _ in range(20)]) == ["in"] * 20


async def test_too_many_waiting_sign_ins_of_an_address_are_refused(models: Models) -> None:
    limits, over = models.rate_limits, asyncio.Event()

    async def waits(account: str) -> None:
        async with limits.attempt(account, HOME):
            await over.wait()

    under_way = [asyncio.ensure_future(waits(f"person {n}")) for n in range(SIGN_INS_AT_ONCE + MOST_WAITING)]
    await asyncio.sleep(0)
    assert await attempt(limits, "ann", HOME) == "limited"
    assert await attempt(limits, "ann", AWAY) == "in"
    over.set()
    await asyncio.gather(*under_way)
    assert await attempt(limits, "ann", HOME) == "in"


@pytest.mark.parametrize("end", [None, Invalid(email="?"), Unavailable(), RuntimeError()])
async def test_other_outcomes_than_failures_are_not_counted(models: Models, end: Exception | None) -> None:
    for _ in range(30):
        assert await attempt(models.rate_limits, "ann", HOME, end) != "limited"


async def test_a_cancelled_attempt_is_not_counted(models: Models) -> None:
    async def never() -> None:
        async with models.rate_limits.attempt("ann", HOME):
            entered.set()
            await asyncio.Event().wait()

    for _ in range(6):
        entered = asyncio.Event()
        task = asyncio.ensure_future(never())
        await entered.wait()
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)


async def test_a_taken_address_counts(models: Models) -> None:
    results = [await attempt(models.rate_limits, None, HOME, Conflict()) for _ in range(21)]
    assert results[-1] == "limited"


async def test_failures_survive_an_emptied_redis_and_a_new_process(models: Models) -> None:
    for _ in range(5):
        await wrong(models.rate_limits)
    await models.bus.command("flushall")
    fresh = RateLimits(models.db, models.bus, models.clock, models.config, models.site_secret)
    assert await wrong(fresh) == "limited"


async def test_a_quarter_of_an_hour_to_the_second(models: Models) -> None:
    models.clock.freeze(NOON)
    for _ in range(5):
        await wrong(models.rate_limits)
    models.clock.advance(seconds=899)
    with pytest.raises(TooMany) as refused:
        async with models.rate_limits.attempt("ann", HOME):
            pass
    assert refused.value.retry_after == 1
    models.clock.advance(seconds=1)
    assert await attempt(models.rate_limits, "ann", HOME) == "in"


async def test_recovery_e_mails_are_limited_by_account_and_by_address(models: Models) -> None:
    async def asked(account: str, address: str) -> bool:
        try:
            await models.rate_limits.ask_link(account, address)
        except TooMany:
            return False
        return True

    assert sum(await asyncio.gather(*[asked("ann", f"192.0.2.{n}") for n in range(12)])) == 3
    assert sum([await asked(f"person {n}", HOME) for n in range(12)]) == 10
    assert await asked("bo", AWAY)


async def test_addresses_are_forgotten_within_a_day(models: Models) -> None:
    models.clock.freeze(NOON)
    for n in range(5):
        await wrong(models.rate_limits, address=f"192.0.2.{n}")
    models.clock.advance(hours=24, seconds=-1)
    await wrong(models.rate_limits)
    assert await subjects(models) == await marks(models, HOME, *(f"192.0.2.{n}" for n in range(5)))
    models.clock.advance(seconds=1)
    await wrong(models.rate_limits, address=AWAY)
    assert await subjects(models) == await marks(models, HOME, AWAY)


async def marks(models: Models, *addresses: str) -> set[str]:
    """What is stored instead of the addresses."""
    return {await models.rate_limits.mark("sign_in_address", one) for one in addresses}


async def subjects(models: Models) -> set[str]:
    async with models.db.link() as link:
        await link.execute("select subject from guesses where kind = 'sign_in_address'")
        return {row[0] for row in link.cursor.fetchall()}
