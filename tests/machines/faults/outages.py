"""A site whose PostgreSQL is behind a fault proxy, with users and traffic."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from tornado.testing import bind_unused_port

from models.postgres.migrations import migrate
from tests.journeys.server_process import ServerProcess
from tests.machines.actors.actor import Actor, in_call
from tests.machines.faults.fault_proxy import FaultProxy
from tests.machines.servers import Pair
from tests.support.pace import within
from tests.support.scenes import until

ANSWER_SECONDS = 3.0
HEAL_SECONDS = 5.0
PATHS = ("/room/queue", "/user/me", "/", "/history", "/stats/live")
PAUSE_SECONDS = 1 / 20
QUIET_SECONDS = 1.5


class Outages:
    """The pair, the proxy in front of PostgreSQL, and the site."""

    def __init__(self, home: Path, workers: int) -> None:
        self.pair = Pair(home)
        self.proxy = FaultProxy(str(self.pair.postgres.server.place.sockets / ".s.PGSQL.5432"))
        self._home, self._workers = home, str(workers)
        self.code: str | None = None

    def start(self) -> None:
        self.pair.start()
        migrate(self.pair.database_url)
        self.proxy.__enter__()
        listening, port = bind_unused_port()
        listening.close()
        self.server = ServerProcess(
            self._home, port, WORKERS=self._workers, CODE_USES="1000", REDIS_URL=self.pair.redis_url,
            DATABASE_URL=f"postgresql://postgres@127.0.0.1:{self.proxy.port}/postgres",
        )  # fmt: skip
        self.server.start()

    def stop(self) -> None:
        if self.server.is_running:
            self.server.stop()
        self.proxy.__exit__()
        self.pair.stop()

    async def people(self, number: int) -> list[Actor]:
        if self.code is None:
            payer = await Actor.sign_up(self.server.url)
            self.code = await payer.pay()
            await payer.leave()
        return [await Actor.sign_up(self.server.url, self.code) for _ in range(number)]

    def hurry(self, call_id: str, left_ms: int) -> None:
        self.pair.hurry(call_id, left_ms)


@dataclass
class Traffic:
    """Twenty requests a second, each on its own connection; records status, time and latency."""

    actor: Actor
    answers: list[tuple[float, str, int, float]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._flow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _flow(self) -> None:
        paths = cycle(PATHS)
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._ask(next(paths)))
                await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, path: str) -> None:
        began = time.monotonic()
        try:
            answer = await self.actor.client.get(path, token=self.actor.token)
        except ConnectionError as error:
            self.lost.append(f"{path}: {error!r}")
        else:
            self.answers.append((began, path, answer.status, time.monotonic() - began))

    def statuses(self, since: float = 0.0) -> Counter[int]:
        return Counter(status for began, _, status, _ in self.answers if began >= since)

    def slowest(self) -> float:
        return max(seconds for *_, seconds in self.answers)

    def is_served_since(self, healed_at: float) -> bool:
        """Every answer has been 200 for a while."""
        quiet = time.monotonic() - QUIET_SECONDS
        return quiet > healed_at and set(self.statuses(quiet)) == {200}

    def check(self) -> None:
        """Every request was answered, quickly, with 200 or 503."""
        assert self.lost == []
        assert set(self.statuses()) <= {200, 503}, self.statuses()
        assert self.slowest() < within(ANSWER_SECONDS), self.slowest()


@dataclass
class Scene:
    """A call that goes on, a call whose time ends in the outage, a user waiting in the room, and traffic."""

    site: Outages
    going: tuple[Actor, Actor]
    ending: tuple[Actor, Actor]
    waiting: Actor
    traffic: Traffic
    calls: tuple[str, str]

    @classmethod
    async def begin(cls, site: Outages) -> Scene:
        who = await site.people(5)
        await asyncio.gather(*(actor.arrive() for actor in who))
        anna, ben, cleo, dana, emil = who
        calls = (await in_call(anna, ben, seconds=600), await in_call(cleo, dana))
        return cls(site, (anna, ben), (cleo, dana), emil, Traffic(emil), calls)

    async def check(self, healed_at: float) -> None:
        """Everything works again; nothing was lost, no user is busy, and every socket has stayed open."""
        # Computed once: the load changes during the wait.
        late = healed_at + within(HEAL_SECONDS)
        await until(lambda: self.traffic.is_served_since(healed_at), late + QUIET_SECONDS - time.monotonic())
        cleo, dana = self.ending
        assert await cleo.talking.end() == await dana.talking.end()
        ended = "select ended_reason from calls where call_id = %s"
        assert self.site.pair.rows(ended, self.calls[1]) == [("expired",)]
        for actor in self.ending:
            await until(lambda actor=actor: self._is_free(actor), within(HEAL_SECONDS))
        await self._talk()
        lines = [actor.line for actor in (*self.going, *self.ending, self.waiting)]
        lines += [actor.talking.line for actor in self.going]
        assert [line.opened for line in lines] == [1] * len(lines)
        assert [code for line in lines for code in line.codes if code != 1000] == []

    def _is_free(self, actor: Actor) -> bool:
        seats = "select count(*) from live_seats where user_id = %s"
        with self.site.pair.keys() as keys:
            is_busy = keys.exists(f"ns:busy:{actor.user_id}")
        return not is_busy and self.site.pair.rows(seats, actor.user_id) == [(0,)]

    async def _talk(self) -> None:
        a, b = (actor.talking for actor in self.going)
        a.say("still here")
        await a.answered()
        await until(lambda: "still here" in b.shown.values())
        b.line.send("call:end")
        assert await a.end() == await b.end()

    async def leave(self) -> None:
        await asyncio.gather(*(actor.leave() for actor in (*self.going, *self.ending, self.waiting)))
