"""Users on real sockets: online, joined to the queue, with a first page on their screen.

Idle users may request a first page again from time to time, like a user who has seen all cards. All updates
sent to them are counted.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from bench.client.connections import HttpConnection, WireSocket
from bench.client.users import BenchUser

OPENING_AT_ONCE = 20
BROWSING_AT_ONCE = 8
# Concurrent leavers, each away for half of every second.
LEAVERS = 10
LEFT_SECONDS = 0.5


@dataclass
class Present:
    """A user with an open and joined invite socket."""

    person: BenchUser
    socket: WireSocket
    http: HttpConnection | None = None

    @classmethod
    async def come(cls, port: int, person: BenchUser) -> Self:
        socket = await WireSocket.open(port, "/ws/invites", person.token)
        await socket.receive("state")
        socket.send(type="queue:join", id="join")
        await socket.receive("queue:state")
        return cls(person, socket)


async def all_come(port: int, people: Iterable[BenchUser]) -> list[Present]:
    """Brings all users online, a few at a time, each with a first page on the screen."""
    left = iter(people)
    here: list[Present] = []

    async def bring() -> None:
        http = await HttpConnection.open(port)
        for person in left:
            here.append(await Present.come(port, person))
            await http.get("/room/queue", person.token)
        http.close()

    await asyncio.gather(*[bring() for _ in range(OPENING_AT_ONCE)])
    return here


def pushed(people: Iterable[Present]) -> int:
    """The number of `queue:update` messages so far."""
    return sum(one.socket.counts["queue:update"] for one in people)


@dataclass
class Looking:
    """Runs alongside a bench: a stranger arrives and leaves each second. Ten of `leavers` per second leave
    the queue and rejoin half a second later, so that presence updates are sent to those who have them on
    their screen. With `page_every_seconds` each idle user requests a page at that interval.
    """

    port: int
    idle: list[Present]
    stranger: BenchUser
    page_every_seconds: float | None
    leavers: Iterator[Present] | None = None
    pages: int = 0
    comings: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _left: list[Present] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        if self.idle:
            work = [self._come_and_go()]
            if self.leavers is not None:
                work += [self._leave_and_join(self.leavers) for _ in range(LEAVERS)]
            if self.page_every_seconds is not None:
                # Several tasks, so that a slow page does not delay the next one.
                parts = [self.idle[start::BROWSING_AT_ONCE] for start in range(BROWSING_AT_ONCE)]
                work += [self._browse(part, self.page_every_seconds / len(part)) for part in parts if part]
            self._tasks = [asyncio.create_task(one) for one in work]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                raise RuntimeError("looking on has failed") from outcome
        for one in self._left:
            one.socket.send(type="queue:join", id="join")

    async def _browse(self, people: list[Present], pause: float) -> None:
        http = await HttpConnection.open(self.port)
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            for one in itertools.cycle(people):
                await http.get("/room/queue", one.person.token)
                self.pages += 1
                due += pause
                await asyncio.sleep(max(0.0, due - loop.time()))
        finally:
            http.close()

    async def _leave_and_join(self, leavers: Iterator[Present]) -> None:
        for one in leavers:
            self._left.append(one)
            await _say(one, "queue:leave")
            await asyncio.sleep(LEFT_SECONDS)
            await _say(one, "queue:join")
            self._left.remove(one)
            await asyncio.sleep(1 - LEFT_SECONDS)

    async def _come_and_go(self) -> None:
        while True:
            here = await Present.come(self.port, self.stranger)
            await asyncio.sleep(0.5)
            here.socket.close()
            self.comings += 1
            await asyncio.sleep(0.5)


async def _say(one: Present, command: str) -> None:
    one.socket.send(type=command, id=command)
    await one.socket.receive("queue:state")
