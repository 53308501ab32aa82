"""Hostile uploads for a minute (`ATTACK_SECONDS`), during a call and a visit that do not notice them."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.conftest import jpeg
from tests.machines.actors.actor import Actor
from tests.machines.actors.bystanders import SECONDS, attackers, beside
from tests.machines.actors.tally import Tally
from tests.machines.conftest import People
from tests.machines.site import Machines

pytestmark = [pytest.mark.prove, pytest.mark.gen_test(timeout=SECONDS + 240)]
# Time of a selfie upload, while the attackers' uploads wait, too.
MOST_SELFIE_SECONDS = 15.0


async def selfies(one: Actor, waits: list[float]) -> None:
    while True:
        began = time.monotonic()
        answer = await one.client.upload("/media/selfie", "selfie", jpeg(), token=one.token)
        assert answer.status == 201, answer
        waits.append(time.monotonic() - began)
        await asyncio.sleep(2)


async def test_bystanders_do_not_notice(machines: Machines, people: People) -> None:
    a, b, c, *attacking = await people(7)
    await asyncio.gather(*(one.arrive(machines.one.url) for one in (a, b, c)))
    words = [str(machines.one.port), str(SECONDS), *(one.token for one in attacking)]
    waits: list[float] = []
    others = asyncio.create_task(selfies(c, waits))
    meter = await beside(attackers("upload_attackers", *words), machines.one, a, b)
    assert not others.done(), others
    others.cancel()
    print(f"selfies of another: {len(waits)}, longest {max(waits):.1f} s")
    assert max(waits) < MOST_SELFIE_SECONDS
    check_that_it_bites(meter.attack)
    meter.check()


def check_that_it_bites(attack: Tally) -> None:
    """Files were decoded and refused, bodies were held or refused for waiting, and megabytes were sent."""
    decoded = attack["uploads"]
    assert sum(decoded[status] for status in ("201", "413", "415", "422")) >= 1, decoded
    stalled = attack["stalls"]
    assert stalled["connections"] >= 60, stalled
    assert stalled["held"] + stalled["refused"] == stalled["connections"], stalled
    flooded = attack["floods"]
    assert flooded["connections"] >= 2, flooded
    assert flooded["bytes"] >= 2**20, flooded
