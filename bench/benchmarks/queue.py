"""`python -m bench queue`: the cost of a page of the queue, and of one user's arrival and departure.

With 100, 1,000 and 10,000 users online. Most of them have no sockets (`bench.client.users.Crowd`);
fifty viewers have real, joined sockets, request the pages, and get every change that concerns their screen.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import uvloop

from bench.chart import Series, bars
from bench.client.connections import HttpConnection, WireSocket
from bench.client.sockets import Present, all_come, pushed
from bench.client.users import BenchUser, Crowd, sign_up
from bench.meter import Cost, Meter, percentile
from bench.progress import Progress
from bench.report import Measured, machine, measured, save, show
from bench.site_process import SiteUnderTest, site_under_test

COLUMNS = {
    "online": "online", "json_per_server_second": "JSON/CPU s", "html_per_server_second": "HTML/CPU s",
    "statements": "SQL", "redis_scripts": "scripts", "redis_commands": "commands", "postgres_ms": "PG ms",
    "redis_ms": "Redis ms", "p50_ms": "p50 ms", "p99_ms": "p99 ms", "alone_p50_ms": "alone p50",
    "alone_p99_ms": "alone p99",
}  # fmt: skip
COMING_COLUMNS = {
    "online": "online", "turn_server_ms": "join+leave ms", "turn_redis_ms": "Redis ms",
    "turn_frames_to_others": "frames to others", "visit_server_ms": "visit ms", "visit_redis_ms": "Redis ms",
    "visit_frames_to_others": "frames to others",
}  # fmt: skip
VIEWERS = 50
VISITORS = 8
AT_ONCE = 8
WARM_UP = 200


@dataclass(frozen=True)
class Plan:
    requests: int = 2000
    turns: int = 400
    visits: int = 200
    runs: int = 3
    online: tuple[int, ...] = (100, 1000, 10_000)


BRIEF = Plan(requests=400, turns=80, visits=40, runs=1)


@dataclass(frozen=True)
class QueueResult:
    """A turn is `queue:join` + `queue:leave` on an open socket; a visit goes from opening to closing it.
    Costs are milliseconds of CPU time per request, turn or visit.
    """

    online: float
    json_per_server_second: float
    html_per_server_second: float
    statements: float
    redis_scripts: float
    redis_commands: float
    postgres_ms: float
    redis_ms: float
    p50_ms: float
    p99_ms: float
    alone_p50_ms: float
    alone_p99_ms: float
    turn_server_ms: float
    turn_redis_ms: float
    turn_frames_to_others: float
    visit_server_ms: float
    visit_redis_ms: float
    visit_frames_to_others: float


def queue(plan: Plan, *, keep: bool) -> None:
    on = machine()
    sizes = uvloop.run(run_queue(plan))
    print("\nGET /room/queue, first page, 8 at once (server CPU; PostgreSQL and Redis beside it)\n")
    show(COLUMNS, sizes)
    print("\nOne person's coming and going, server CPU each\n")
    show(COMING_COLUMNS, sizes)
    if keep:
        save("queue", on, plan, sizes, _picture(sizes))


def _picture(sizes: list[Measured]) -> str:
    labels = [f"{size.middle.online:,.0f} online" for size in sizes]
    json = Series("JSON", [size.middle.json_per_server_second for size in sizes])
    html = Series("HTML cards", [size.middle.html_per_server_second for size in sizes])
    return bars("Queue pages per server CPU second", labels, [json, html], target=1000)


async def run_queue(plan: Plan) -> list[Measured]:
    """The sizes in turn, `runs` times over, so that a slow minute affects each size alike."""
    with site_under_test() as site:
        people = sign_up(site.database_url, max(plan.online) + VISITORS)
        bench = Bench(site, people[: max(plan.online)], people[max(plan.online) :])
        bench.viewers = await all_come(site.port, bench.people[:VIEWERS])
        runs = [[await bench.measure(plan, online) for online in plan.online] for _ in range(plan.runs)]
        bench.close()
    return [measured([run[at] for run in runs]) for at in range(len(plan.online))]


class Bench:
    def __init__(self, site: SiteUnderTest, people: list[BenchUser], visitors: list[BenchUser]) -> None:
        self._site, self.people, self._visitors = site, people, visitors
        self._meter = Meter(site)
        self._crowd = Crowd(site.redis_url)
        self.viewers: list[Present] = []

    async def measure(self, plan: Plan, online: int) -> QueueResult:
        self._crowd.gather(self.people[VIEWERS:online])
        assert self._crowd.online() == online
        await self._pages(WARM_UP, "application/json", "")
        latencies, json = await self._pages(plan.requests, "application/json", "")
        alone, _ = await self._pages(plan.requests // 5, "application/json", "", at_once=1)
        _, html = await self._pages(plan.requests // 2, "text/html", "HX-Request: true\r\n")
        turn, turn_frames = await self._others(plan.turns, self._turns)
        visit, visit_frames = await self._others(plan.visits, self._visits)
        return QueueResult(
            online=online,
            json_per_server_second=plan.requests / json.server_seconds,
            html_per_server_second=(plan.requests // 2) / html.server_seconds,
            statements=json.statements / plan.requests,
            redis_scripts=json.redis_scripts / plan.requests,
            redis_commands=json.redis_commands / plan.requests,
            postgres_ms=1000 * json.postgres_seconds / plan.requests,
            redis_ms=1000 * json.redis_seconds / plan.requests,
            p50_ms=percentile(latencies, 0.5),
            p99_ms=percentile(latencies, 0.99),
            alone_p50_ms=percentile(alone, 0.5),
            alone_p99_ms=percentile(alone, 0.99),
            turn_server_ms=1000 * turn.server_seconds / plan.turns,
            turn_redis_ms=1000 * turn.redis_seconds / plan.turns,
            turn_frames_to_others=turn_frames / plan.turns,
            visit_server_ms=1000 * visit.server_seconds / plan.visits,
            visit_redis_ms=1000 * visit.redis_seconds / plan.visits,
            visit_frames_to_others=visit_frames / plan.visits,
        )

    def close(self) -> None:
        self._meter.close()
        self._crowd.close()

    async def _pages(
        self, count: int, accept: str, extra: str, at_once: int = AT_ONCE
    ) -> tuple[list[float], Cost]:
        """First pages for the viewers in turn: latencies in milliseconds, and the total cost."""
        progress = Progress(f"{count} pages", count)
        latencies: list[float] = []
        left = iter(range(count))
        connections = [await HttpConnection.open(self._site.port) for _ in range(at_once)]

        async def ask(http: HttpConnection) -> None:
            for number in left:
                began = time.perf_counter()
                token = self.viewers[number % VIEWERS].person.token
                await http.get("/room/queue", token, accept=accept, extra=extra)
                latencies.append(1000 * (time.perf_counter() - began))
                progress.step()

        self._meter.start()
        with progress:
            await asyncio.gather(*map(ask, connections))
        cost = self._meter.stop()
        for http in connections:
            http.close()
        return latencies, cost

    async def _others(self, count: int, work: Callable[[int], Awaitable[None]]) -> tuple[Cost, int]:
        """The cost of `work`, and the number of frames the viewers got for it (the last within a second)."""
        before = pushed(self.viewers)
        self._meter.start()
        await work(count)
        cost = self._meter.stop()
        await asyncio.sleep(1.1)
        return cost, pushed(self.viewers) - before

    async def _turns(self, count: int) -> None:
        """Join and leave on open sockets, eight users at once."""
        sockets = [await self._socket(person) for person in self._visitors]

        async def come_and_go(socket: WireSocket) -> None:
            for _ in range(count // VISITORS):
                for command in ("queue:join", "queue:leave"):
                    socket.send(type=command, id="turn")
                    await socket.receive("queue:state")

        await asyncio.gather(*map(come_and_go, sockets))
        for socket in sockets:
            socket.close()

    async def _visits(self, count: int) -> None:
        """Open, join, leave, close."""

        async def visit(person: BenchUser) -> None:
            for _ in range(count // VISITORS):
                here = await Present.come(self._site.port, person)
                here.socket.send(type="queue:leave", id="leave")
                await here.socket.receive("queue:state")
                here.socket.close()

        await asyncio.gather(*map(visit, self._visitors))

    async def _socket(self, person: BenchUser) -> WireSocket:
        socket = await WireSocket.open(self._site.port, "/ws/invites", person.token)
        await socket.receive("state")
        return socket
