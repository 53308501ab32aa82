"""PostgreSQL and Redis stopped, hung, restarted, emptied in the middle of calls.

Users get an error within three seconds, everything recovers within five, no end of a call is lost and no user
stays busy.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.machines.conftest import People
from tests.machines.faults.scene import AWAY_SECONDS, HEAL_SECONDS, away_for_a_while, begin
from tests.machines.servers import Faulty
from tests.machines.site import Machines
from tests.support.pace import within
from tests.support.scenes import until


def server_of(machines: Machines, name: str) -> Faulty:
    return machines.pair.postgres if name == "postgres" else machines.pair.redis


@contextmanager
def away(server: Faulty, how: str) -> Iterator[None]:
    with server.stopped() if how == "stopped" else server.hung():
        yield


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param("postgres", "stopped", marks=pytest.mark.prove),
        pytest.param("postgres", "hung", marks=pytest.mark.prove),
        pytest.param("redis", "hung", marks=pytest.mark.prove),
        ("redis", "stopped"),
    ],
)
async def test_a_server_that_is_away(machines: Machines, people: People, name: str, how: str) -> None:
    scene = await begin(machines, people)
    machines.hurry(scene.ending, left_ms=1500)
    deadline = time.monotonic() + AWAY_SECONDS
    told = scene.gina.talking.line.inbox
    told.clear()
    with away(server_of(machines, name), how):
        await away_for_a_while(scene, deadline)
    await scene.healed()
    await scene.check()
    # A socket closed in the outage is not counted as open: by an event, or by the full state sent again after
    # a loss.
    await until(lambda: any(one["type"] == "peer:left" or one.get("peerHere") is False for one in told), 10)
    await until(lambda: not machines.is_online(scene.fritz))
    await until(lambda: not machines.is_listed(scene.fritz), 12)


@pytest.mark.prove
@pytest.mark.parametrize("name", ["postgres", "redis"])
async def test_a_server_that_is_restarted(machines: Machines, people: People, name: str) -> None:
    scene = await begin(machines, people)
    machines.hurry(scene.ending, left_ms=300)
    server = server_of(machines, name)
    before = server.server.pid
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    assert server.server.pid != before
    await scene.healed()
    await scene.check()


async def test_a_redis_that_is_emptied(machines: Machines, people: People) -> None:
    scene = await begin(machines, people)
    assert machines.is_listed(scene.emil)
    machines.hurry(scene.ending, left_ms=300)
    before, after = machines.pair.empty_redis()
    assert before > after == 0
    await scene.healed()
    # Users in a call are busy again, so that they cannot be rung.
    await until(lambda: machines.is_busy(scene.anna), within(HEAL_SECONDS))
    await scene.check()
