"""Redis over TCP, with every kind of network outage, under real processes in use.

Requests fail within three seconds; everything works within five seconds after the fault; messages sent during
the fault are on the other screen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.machines.actors.actor import Talk
from tests.machines.conftest import People
from tests.machines.faults.fault_proxy import Fault
from tests.machines.faults.scene import HEAL_SECONDS, Scene, begin, check_told
from tests.machines.site import Machines, running
from tests.support.pace import within
from tests.support.scenes import until


@pytest.fixture(scope="module")
def running_machines() -> Iterator[Machines]:
    with running(over_tcp=True) as machines:
        yield machines


def cases() -> Iterator[object]:
    """Short ones of each kind; the others are for `make prove`."""
    for fault in ("refused", "reset", "silent", "unreachable", "deaf"):
        for seconds in (0.5, 3.0, 10.0):
            is_long = seconds == 10 or (seconds == 3.0) != (fault == "silent")
            yield pytest.param(fault, seconds, marks=[pytest.mark.prove] if is_long else [])


@pytest.mark.parametrize(("fault", "seconds"), list(cases()))
async def test_an_outage_under_traffic(
    machines: Machines, people: People, fault: Fault, seconds: float
) -> None:
    scene = await begin(machines, people)
    both = scene.anna.talking, scene.ben.talking
    accepted = machines.to_redis.accepted
    with machines.to_redis.fault(fault, lost=True):
        began = time.monotonic()
        talk = asyncio.ensure_future(keep_talking(both, began + seconds))
        if seconds >= 3 and fault != "deaf":
            await check_told(scene)
        await talk
        assert machines.to_redis.accepted > accepted or fault != "deaf" or seconds < 3
    healed = time.monotonic()
    await scene.healed()
    for talking in both:
        await talking.answered(within(HEAL_SECONDS))
    await until(lambda: set(both[0].shown.values()) == set(both[1].shown.values()), within(HEAL_SECONDS))
    assert time.monotonic() - healed < within(HEAL_SECONDS) + 1
    assert len(both[0].shown) == len(set(both[0].shown.values())) >= 2
    await check_news(scene)


async def keep_talking(both: tuple[Talk, Talk], until_at: float) -> None:
    """At least one message of each side, and then as many as fit."""
    number = 0
    while number == 0 or time.monotonic() < until_at:
        for side, talking in enumerate(both):
            talking.say(f"{number} of {side}")
        number += 1
        await asyncio.sleep(min(1.0, max(0.0, until_at - time.monotonic())))


async def check_news(scene: Scene) -> None:
    """Events go from each process to the other, and a new ring as well."""
    a, b = scene.anna.talking, scene.ben.talking
    for one, other in ((a, b), (b, a)):
        one.line.send("rtc:offer", sdp=f"v=0 {time.monotonic()}", attempt=9)
        await other.line.hear("rtc:offer")
    await scene.emil.ring(scene.fritz)
    b.line.send("call:end")
    assert await a.end() == await b.end()
    await until(lambda: not scene.machines.is_busy(scene.anna), within(HEAL_SECONDS))
