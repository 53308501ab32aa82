"""The shared connection to Redis: order, errors of one command, and the effect of an outage on all of
them.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from models.errors import Unavailable
from models.processes.embedded import Embedded
from models.redis.client import Bus
from models.wiring import Models
from tests.support.pace import within
from tests.support.scenes import until


async def test_concurrent_commands_are_answered_in_order(models: Models) -> None:
    answers = await asyncio.gather(*(models.bus.command("incr", "count") for _ in range(1200)))
    assert answers == list(range(1, 1201))


async def test_one_invalid_command_affects_no_other(models: Models) -> None:
    good, bad, after = await asyncio.gather(
        models.bus.command("set", "name", "x"),
        models.bus.command("incr", "name"),
        models.bus.command("get", "name"),
        return_exceptions=True,
    )
    assert isinstance(bad, ResponseError)
    assert (good, after) == (b"OK", b"x")


async def test_commands_without_a_waiting_caller_are_sent_when_flushed(models: Models) -> None:
    for number in range(10):
        models.bus._pipeline.send("SET", "told", number)
    assert models.bus._pipeline._queued
    await models.bus.flush()
    assert not models.bus._pipeline._queued
    assert not models.bus._pipeline._pending
    assert await models.bus.command("get", "told") == b"9"


async def test_the_answer_to_an_abandoned_command_goes_to_no_other(models: Models) -> None:
    task = asyncio.create_task(models.bus.command("set", "a", "1"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await models.bus.command("get", "a") == b"1"


@pytest.fixture
def own_redis(tmp_path: Path) -> object:
    """A Redis server for this test alone, because it will be stopped."""
    with Embedded.start(tmp_path / "data", durable=False, postgres=False) as embedded:
        yield embedded


async def test_a_hung_server_fails_everything_and_is_used_again_when_it_resumes(own_redis: Embedded) -> None:
    bus = Bus(own_redis.redis_url, "test")
    await bus.command("set", "a", "1")
    os.kill(own_redis.pids["valkey-server"], signal.SIGSTOP)
    try:
        asked = [bus.command("get", "a") for _ in range(5)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(answer, Unavailable) for answer in answers)
    finally:
        os.kill(own_redis.pids["valkey-server"], signal.SIGCONT)
    assert await bus.command("get", "a") == b"1"
    await bus.close()


async def test_a_lost_connection_fails_only_the_waiting_commands_and_at_once(own_redis: Embedded) -> None:
    bus, other = Bus(own_redis.redis_url, "test"), Bus(own_redis.redis_url, "other")
    await bus.command("ping")
    waiting = asyncio.ensure_future(bus.command("blpop", "nothing", 0))
    await until(lambda: _is_blocked(other))
    async with asyncio.timeout(within(1)):
        await other.command("client", "kill", "type", "normal")
        with pytest.raises(Unavailable):
            await waiting
    # Lost while idle: noticed before the next command.
    await bus.command("ping")
    await other.command("client", "kill", "type", "normal")
    await until(lambda: bus._pipeline._connection is None)
    assert await bus.command("ping") == b"PONG"
    await bus.close()
    await other.close()


async def _is_blocked(bus: Bus) -> bool:
    return b"blocked_clients:1" in await bus.command("info", "clients")


async def test_a_server_that_is_still_loading_is_unavailable(models: Models) -> None:
    with pytest.raises(Unavailable):
        await models.bus.command("eval", "return redis.error_reply('LOADING the dataset')", 0)


async def test_commands_during_shutdown_fail(own_redis: Embedded) -> None:
    bus = Bus(own_redis.redis_url, "test")
    asked = asyncio.ensure_future(bus.command("blpop", "nothing", 0))
    await asyncio.sleep(0)
    await bus.close()
    with pytest.raises(Unavailable):
        await asked
    with pytest.raises(Unavailable):
        await bus.command("ping")
