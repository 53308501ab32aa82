"""Every process restarted in turn during calls and visits: no user notices."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field

import pytest

from tests.machines.actors.actor import Actor, in_call
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.clients import Client
from tests.support.scenes import until

SECONDS = 900
LINE_SECONDS = 0.5


@dataclass
class Pair:
    """Two users in a call, who keep talking."""

    a: Actor
    b: Actor
    call_id: str
    said: set[str] = field(default_factory=set)

    async def chatter(self, is_over: asyncio.Event) -> None:
        for number in itertools.count():
            who = (self.a, self.b)[number % 2]
            text = f"{who.name} says {number}"
            self.said.add(text)
            who.talking.say(text)
            if await happens(is_over, LINE_SECONDS):
                return

    async def check_screens(self) -> None:
        """Every message once on both screens, and one remaining time for all."""
        a, b = self.a.talking, self.b.talking
        await asyncio.gather(a.answered(), b.answered())
        for talk in (a, b):
            await until(lambda talk=talk: set(talk.shown.values()) >= self.said, 10)
            assert sorted(talk.shown.values()) == sorted(self.said)
            assert set(talk.line.codes) <= {1001}
        told = (await self.a.get(f"/calls/{self.call_id}"))["remainingMs"]
        assert abs(a.left_ms - told) < 1000
        assert abs(b.left_ms - told) < 1000


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether the condition becomes true within this many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


@dataclass
class Visitor:
    """Reads and writes through the proxy all the time; records what was answered and what was not."""

    actor: Actor
    answers: int = 0
    faults: list[str] = field(default_factory=list)

    async def visit(self, is_over: asyncio.Event) -> None:
        reads = itertools.cycle(["/", "/room/queue", "/history", "/user/me", "/stats/live"])
        while not is_over.is_set():
            await self.ask("GET", next(reads), None)
            await self.ask("PATCH", "/user/me", {"name": self.actor.name})
            await happens(is_over, 0.05)

    async def ask(self, method: str, path: str, fields: dict[str, str] | None) -> None:
        try:
            answer = await self.actor.client.send(method, path, token=self.actor.token, json=fields)
            if answer.status != 200:
                self.faults.append(f"{method} {path}: {answer.status} {answer.text[:100]}")
        except (OSError, ConnectionError) as error:
            self.faults.append(f"{method} {path}: {error!r}")
        self.answers += 1


async def roll(machines: Machines, people: People, calls: int, visitors: int) -> None:
    pairs = await all_in_calls(machines, await people(2 * calls))
    readers = [Visitor(actor) for actor in await people(visitors)]
    is_over = asyncio.Event()
    work = [asyncio.create_task(pair.chatter(is_over)) for pair in pairs]
    work += [asyncio.create_task(reader.visit(is_over)) for reader in readers]
    for machine in machines.all:
        await asyncio.to_thread(machine.restart)
    is_over.set()
    await asyncio.gather(*work)
    assert [fault for reader in readers for fault in reader.faults] == []
    assert sum(reader.answers for reader in readers) > 100
    # Each socket was at one process, and reconnected at least once.
    assert all(actor.talking.line.opened > 1 for pair in pairs for actor in (pair.a, pair.b))
    for pair in pairs:
        await pair.check_screens()
    await end_all(machines, pairs)


async def all_in_calls(machines: Machines, who: list[Actor]) -> list[Pair]:
    """Five calls at once, their sockets spread over the processes by the proxy."""
    pairs: list[Pair] = []

    async def begin(a: Actor, b: Actor) -> None:
        await asyncio.gather(a.arrive(), b.arrive())
        pairs.append(Pair(a, b, await in_call(a, b, seconds=SECONDS)))

    couples = list(zip(who[::2], who[1::2], strict=True))
    for at in range(0, len(couples), 5):
        await asyncio.gather(*(begin(a, b) for a, b in couples[at : at + 5]))
    return pairs


async def end_all(machines: Machines, pairs: list[Pair]) -> None:
    """Ends half of them by hanging up, half by the end of their time."""
    reasons = {}
    for number, pair in enumerate(pairs):
        reasons[pair.call_id] = "hung_up" if number % 2 else "expired"
        if number % 2:
            pair.b.talking.line.send("call:end")
        else:
            machines.hurry(pair.call_id, left_ms=500)
    for pair in pairs:
        assert await pair.a.talking.end(20) == await pair.b.talking.end(20)
        assert len(pair.a.talking.ends) == len(pair.b.talking.ends) == 1
        await machines.check_over(pair.call_id, pair.a, pair.b, reasons[pair.call_id], pair.said)
        assert machines.pair.rows("select paused_ms from calls where call_id = %s", pair.call_id) == [(0,)]


async def test_a_process_fails_readiness_before_it_leaves(machines: Machines) -> None:
    with machines.client(machines.one) as client:
        leaving = asyncio.create_task(asyncio.to_thread(machines.one.restart))
        await until(lambda: is_answered(client, "/readyz", 503))
        # It still accepts connections: the load balancer has not checked yet.
        assert await is_answered(client, "/", 200)
        with machines.client() as visitor:
            assert await is_answered(visitor, "/", 200)
        await leaving
        assert await is_answered(client, "/readyz", 200)


async def is_answered(client: Client, path: str, status: int) -> bool:
    return (await client.get(path)).status == status


async def test_no_call_notices_a_rolling_restart(machines: Machines, people: People) -> None:
    await roll(machines, people, calls=6, visitors=2)


@pytest.mark.prove
async def test_fifty_calls_do_not_notice_a_rolling_restart(machines: Machines, people: People) -> None:
    await roll(machines, people, calls=50, visitors=5)
