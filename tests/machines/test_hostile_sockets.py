"""Attacks on sockets for a minute (`ATTACK_SECONDS`), during a call and a visit that do not notice them."""

from __future__ import annotations

import asyncio

import psutil
import pytest

from tests.machines.actors.bystanders import SECONDS, attackers, beside
from tests.machines.actors.socket_attackers import ATTACKS, SLOW_HEADS, never_reads, slow_heads
from tests.machines.actors.tally import Tally
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.scenes import until

pytestmark = [pytest.mark.prove, pytest.mark.gen_test(timeout=SECONDS + 180)]


async def test_bystanders_do_not_notice(machines: Machines, people: People) -> None:
    a, b, *attacking = await people(8)
    await asyncio.gather(a.arrive(machines.one.url), b.arrive(machines.one.url))
    process = psutil.Process(machines.one.pid)
    files = process.num_fds()
    words = [str(machines.one.port), str(SECONDS), *(one.token for one in attacking)]
    meter = await beside(attackers("socket_attackers", *words), machines.one, a, b)
    check_that_it_bites(meter.attack)
    meter.check()
    await until(lambda: process.num_fds() <= files + 20, 30)


def check_that_it_bites(attack: Tally) -> None:
    """Every kind has opened connections and sent what it sends; the server has ended most of them."""
    assert attack.keys() == {kind.__name__ for kind in ATTACKS}
    for kind in ATTACKS:
        done = attack[kind.__name__]
        assert done["connections"] >= 1, (kind, done)
        least = 100 if kind in (never_reads, slow_heads) else 2**20
        assert done["bytes"] >= least, (kind, done)
    assert attack["slow_heads"]["connections"] >= SLOW_HEADS
    for name in ("unmasked", "refused", "pings", "fragments", "large"):
        assert attack[name]["ended"] >= 1, (name, attack[name])
