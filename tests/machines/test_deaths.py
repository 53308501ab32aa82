"""SIGKILL of processes in the middle of a call: the call goes on, or ends once for the right reason."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.journeys.server_process import ServerProcess
from tests.machines.actors.actor import Actor, in_call
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.pace import within
from tests.support.scenes import until


def victims(machines: Machines, which: str) -> list[ServerProcess]:
    return {"caller": [machines.one], "callee": [machines.two], "both": [machines.one, machines.two]}[which]


async def two_apart(machines: Machines, people: People) -> tuple[Actor, Actor, str]:
    """The caller on the first process, the callee on the second, with both sockets."""
    anna, ben = await people(2)
    await asyncio.gather(anna.arrive(machines.one.url), ben.arrive(machines.two.url))
    call_id = await in_call(anna, ben, a_at=machines.one.url, b_at=machines.two.url)
    return anna, ben, call_id


@pytest.mark.parametrize(
    "which",
    [
        pytest.param("caller", marks=pytest.mark.prove),
        pytest.param("callee", marks=pytest.mark.prove),
        "both",
    ],
)
async def test_a_call_outlives_the_process_of(machines: Machines, people: People, which: str) -> None:
    anna, ben, call_id = await two_apart(machines, people)
    a, b = anna.talking, ben.talking
    a.say("before")
    await a.answered()
    machines.kill(*victims(machines, which))
    a.say("from anna")
    b.say("from ben")
    await asyncio.gather(a.answered(), b.answered())
    assert a.line.opened + b.line.opened == 2 + len(victims(machines, which))
    await asyncio.gather(a.running(), b.running())
    await until(lambda: set(a.shown.values()) == set(b.shown.values()) == {"before", "from anna", "from ben"})
    assert abs(a.left_ms - b.left_ms) < 1000
    assert abs(a.left_ms - (await anna.get(f"/calls/{call_id}"))["remainingMs"]) < 1000
    a.line.send("call:end")
    mine, theirs = await asyncio.gather(a.end(), b.end())
    assert mine == theirs
    await machines.check_over(call_id, anna, ben, "hung_up", {"before", "from anna", "from ben"})


async def test_a_call_ends_in_time_though_both_its_processes_die_a_second_before(
    machines: Machines, people: People
) -> None:
    anna, ben, call_id = await two_apart(machines, people)
    machines.hurry(call_id, left_ms=1000)
    due = time.monotonic() + 1
    machines.kill(machines.one, machines.two)
    await until(lambda: machines.end_of(call_id), 10)
    assert time.monotonic() - due < within(3)
    mine, theirs = await asyncio.gather(anna.talking.end(), ben.talking.end())
    assert mine == theirs
    assert len(anna.talking.ends) == 1
    await machines.check_over(call_id, anna, ben, "expired", set())


async def test_who_was_at_a_process_that_died_leaves_the_queue_within_ten_seconds(
    machines: Machines, people: People
) -> None:
    anna, ben = await people(2)
    await asyncio.gather(anna.arrive(machines.two.url), ben.arrive(machines.one.url))
    machines.kill(machines.one)
    died = time.monotonic()
    await ben.line.close()
    while machines.is_listed(ben):
        assert time.monotonic() - died < within(10.5)
        await asyncio.sleep(0.05)
    # Not too early either: a page that is reloaded must not flicker.
    assert time.monotonic() - died > 6
    assert (machines.is_online(anna), machines.is_online(ben)) == (True, False)
    assert machines.is_listed(anna)
