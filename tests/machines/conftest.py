"""Three processes, a proxy, and their users: created once for all tests of this folder.

async def test_something(machines, people):
    anna, ben = await people(2)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from tornado.ioloop import IOLoop

from tests.machines.actors.actor import Actor
from tests.machines.site import Machines, running

People = Callable[[int], Awaitable[list[Actor]]]


@pytest.fixture(scope="session")
def running_machines() -> Iterator[Machines]:
    with running() as machines:
        yield machines


@pytest.fixture
def machines(running_machines: Machines) -> Iterator[Machines]:
    """All three processes are up; after a test, their logs must show no internal error."""
    before = len(running_machines.faults)
    yield running_machines
    running_machines.heal()
    running_machines.wait_ready()
    assert running_machines.faults[before:] == []


@pytest.fixture
def people(io_loop: IOLoop, machines: Machines) -> Iterator[People]:
    """`await people(2)`: this many new users with access and a selfie; the first of all has paid, and the
    others used her code.
    """
    there: list[Actor] = []

    async def come(number: int) -> list[Actor]:
        if machines.code is None:
            payer = await Actor.sign_up(machines.url)
            machines.code = await payer.pay()
            await payer.leave()
        new: list[Actor] = []
        while len(new) < number:
            # A few at a time: they all use the same code and wait for its row.
            batch = range(min(4, number - len(new)))
            new += await asyncio.gather(*(Actor.sign_up(machines.url, machines.code) for _ in batch))
        there.extend(new)
        return new

    yield come
    io_loop.run_sync(lambda: _all_leave(there), timeout=60)


async def _all_leave(there: list[Actor]) -> None:
    await asyncio.gather(*(actor.leave() for actor in there))
