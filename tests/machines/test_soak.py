"""Scripted calls for a long time: memory, sockets and rows stay flat, and no call ends for a wrong reason.

`SOAK_MINUTES=30 make prove ARGS="tests/machines/test_soak.py -s"`; by default it takes two minutes.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from dataclasses import dataclass

import psutil
import pytest

from tests.machines.actors.actor import Actor, in_call
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.scenes import until

MINUTES = float(os.environ.get("SOAK_MINUTES", "2"))
PAIRS = 12
SAMPLES = 12
# How much a process may still grow after the first quarter, when caches and pools have filled.
MOST_GROWTH = 0.08
TABLES = ("live_seats", "processes")
pytestmark = [pytest.mark.prove, pytest.mark.gen_test(timeout=60 * MINUTES + 120)]


@dataclass(frozen=True)
class Sample:
    """Figures between two calls, when all users are in the room: they must not grow."""

    calls: int
    memory: int
    sockets: int
    files: int
    rows: int
    keys: int

    def __str__(self) -> str:
        return (
            f"{self.calls:6} calls {self.memory / 2**20:7.1f} MiB {self.sockets:4} sockets "
            f"{self.files:4} files {self.rows:4} rows {self.keys:5} keys"
        )


async def take(machines: Machines, calls: int) -> Sample:
    processes = [psutil.Process(machine.pid) for machine in machines.all]
    rows = [machines.pair.rows(f"select count(*) from {name}")[0][0] for name in TABLES]
    with machines.pair.keys() as keys:
        held = keys.dbsize()
    return Sample(
        calls,
        sum(process.memory_info().rss for process in processes),
        await open_sockets(machines),
        sum(process.num_fds() for process in processes),
        sum(int(str(number)) for number in rows),
        held,
    )


async def open_sockets(machines: Machines) -> int:
    total = 0
    for machine in machines.all:
        with machines.client(machine) as client:
            text = (await client.get("/metrics")).text
        total += sum(int(float(found)) for found in re.findall(r"napalmsky_sockets\{.*?\} (\S+)", text))
    return total


async def one_call(machines: Machines, a: Actor, b: Actor, number: int) -> None:
    """Rung, talked, reloaded in the middle, ended in one of two ways; then both are free again."""
    call_id = await in_call(a, b)
    said = {f"{number} from a", f"{number} from b"}
    a.talking.say(f"{number} from a")
    b.talking.say(f"{number} from b")
    a.talking.line.send("rtc:offer", sdp="v=0 " + "x" * 3000, attempt=1)
    await b.talking.line.hear("rtc:offer")
    await asyncio.gather(a.talking.answered(), b.talking.answered())
    if number % 3 == 0:
        await a.talking.line.close()
        await a.enter(call_id)
        await a.talking.running()
    if number % 2:
        b.talking.line.send("call:end")
    else:
        machines.hurry(call_id, left_ms=100)
    assert await a.talking.end() == await b.talking.end()
    reason = "hung_up" if number % 2 else "expired"
    await machines.check_over(call_id, a, b, reason, said)
    machines.pair.rows("delete from cooldowns where low_id::text = any(%s)", [a.user_id, b.user_id])
    for one in (a, b):
        await until(lambda one=one: machines.is_listed(one))
        one.line.inbox.clear()


async def soak(machines: Machines, pairs: list[tuple[Actor, Actor]]) -> list[Sample]:
    """Rounds of calls, all pairs at once, until the time is over; a sample after each twelfth of it."""
    began, calls, samples = time.monotonic(), 0, []
    for number in itertools.count():
        await asyncio.gather(*(one_call(machines, a, b, number) for a, b in pairs))
        calls += len(pairs)
        gone = time.monotonic() - began
        if gone >= 60 * MINUTES / SAMPLES * (len(samples) + 1):
            await until(lambda: are_open(machines, 2 * len(pairs)), 10)
            samples.append(await take(machines, calls))
            print(f"{gone:7.0f} s {samples[-1]}", flush=True)
        if gone >= 60 * MINUTES:
            return samples
    raise AssertionError


async def are_open(machines: Machines, number: int) -> bool:
    return await open_sockets(machines) == number


async def test_nothing_grows(machines: Machines, people: People) -> None:
    who = await people(2 * PAIRS)
    await asyncio.gather(*(actor.arrive() for actor in who))
    pairs = list(zip(who[::2], who[1::2], strict=True))
    samples = await soak(machines, pairs)
    first, last = samples[len(samples) // 4], samples[-1]
    assert last.calls > first.calls > 0
    assert (last.memory - first.memory) / first.memory < MOST_GROWTH
    assert last.sockets == first.sockets == 2 * PAIRS
    assert last.files <= first.files + 10
    assert last.rows <= first.rows + 1
    assert last.keys <= first.keys * 1.1 + 20
    # Only the calls of this test: other tests, which ran before, end calls for other reasons.
    callers = [a.user_id for a, _ in pairs]
    asked = "select distinct ended_reason from calls where caller_id::text = any(%s)"
    assert {reason for (reason,) in machines.pair.rows(asked, callers)} == {"hung_up", "expired"}
