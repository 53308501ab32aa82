"""Three processes, a proxy, and people who use them: once for all tests of this folder.

async def test_something(machines, people):
    anna, ben = await people(2)
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from models.postgres.migrations import migrate
from tests.machines.actor import Actor
from tests.machines.site import Machines

People = Callable[[int], Awaitable[list[Actor]]]


@pytest.fixture(scope="session")
def running_machines() -> Iterator[Machines]:
    # Not pytest's own place: another run makes that private again, and PostgreSQL could not start anew.
    with tempfile.TemporaryDirectory(prefix="napalmsky-machines-") as home:
        machines = Machines(Path(home))
        try:
            machines.pair.start()
            migrate(machines.pair.database_url)
            machines.start()
            yield machines
        finally:
            machines.stop()


@pytest.fixture
def machines(running_machines: Machines) -> Iterator[Machines]:
    """All three are up, and a test leaves no fault of ours in their logs."""
    before = len(running_machines.faults)
    yield running_machines
    running_machines.heal()
    running_machines.wait_ready()
    assert running_machines.faults[before:] == []


@pytest.fixture
def people(io_loop: IOLoop, machines: Machines) -> Iterator[People]:
    """`await people(2)`: so many, new, with access and a selfie; the first of all paid, her code brings the
    rest.
    """
    there: list[Actor] = []

    async def come(number: int) -> list[Actor]:
        if machines.code is None:
            payer = await Actor.sign_up(machines.url)
            machines.code = await payer.pay()
            await payer.leave()
        new: list[Actor] = []
        while len(new) < number:
            # A few at once: they all use the one code, whose row they wait for.
            batch = range(min(4, number - len(new)))
            new += await asyncio.gather(*(Actor.sign_up(machines.url, machines.code) for _ in batch))
        there.extend(new)
        return new

    yield come
    io_loop.run_sync(lambda: _all_leave(there), timeout=20)


async def _all_leave(there: list[Actor]) -> None:
    await asyncio.gather(*(actor.leave() for actor in there))
