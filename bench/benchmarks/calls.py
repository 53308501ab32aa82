"""`python -m bench calls`: complete calls, ten at once, with 0, 500 and 2,000 idle users online.

The idle users have real, joined sockets and a first page on their screen; ten of them per second leave the
queue and return, so that presence updates are sent. In another size the 2,000 also browse: each requests a
page twice a minute. Their cost is part of the figures; a period without calls shows its share. For
comparison, in alternation, the same calls on plain Tornado, which does nothing else.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import uvloop

from bench.chart import Series, bars
from bench.client.browser_call import Hold
from bench.client.call import Declined, Times, hold
from bench.client.sockets import Looking, Present, all_come, pushed
from bench.client.users import BenchUser, sign_up
from bench.meter import Cost, Meter, percentile
from bench.progress import Progress
from bench.report import Measured, machine, measured, save, show
from bench.site_process import SiteUnderTest, plain_tornado, site_under_test

COLUMNS = {
    "is_plain": "plain", "idle": "idle",
    "pages_per_second": "pages/s", "calls_per_server_second": "calls/CPU s",
    "calls_per_site_and_postgres_second": "with PG",
    "calls_per_second": "calls/s", "server_ms": "CPU ms", "postgres_ms": "PG ms", "redis_ms": "Redis ms",
    "statements": "SQL", "redis_scripts": "scripts", "ring_p50_ms": "ring p50", "ring_p99_ms": "ring p99",
    "answered_p50_ms": "set-up p50", "answered_p99_ms": "set-up p99", "running_p50_ms": "clock p50",
    "running_p99_ms": "clock p99", "pushes_per_second": "pushes/s", "idle_core_share": "idle core",
}  # fmt: skip
AT_ONCE = 10
PAIRS = 3 * AT_ONCE
PAGE_EVERY_SECONDS = 30.0
QUIET_SECONDS = 5.0
WARM_UP_CALLS = 50


@dataclass(frozen=True)
class Plan:
    calls: int = 300
    runs: int = 3
    idle: tuple[int, ...] = (0, 500, 2000)
    browsing: tuple[int, ...] = (2000,)
    with_plain: bool = True


BRIEF = Plan(calls=100, runs=1, idle=(0, 500), browsing=(), with_plain=False)


@dataclass(frozen=True)
class CallsResult:
    """Costs are per call; `idle_core_share` is the share of one core that the idle users take without calls.
    `is_plain` is 1 for plain Tornado.
    """

    is_plain: float
    idle: float
    pages_per_second: float
    calls_per_server_second: float
    calls_per_site_and_postgres_second: float
    calls_per_second: float
    server_ms: float
    postgres_ms: float
    redis_ms: float
    statements: float
    redis_scripts: float
    redis_commands: float
    ring_p50_ms: float
    ring_p99_ms: float
    answered_p50_ms: float
    answered_p99_ms: float
    running_p50_ms: float
    running_p99_ms: float
    pushes_per_second: float
    idle_core_share: float
    retries: float


def calls(plan: Plan, *, keep: bool) -> None:
    on = machine()
    sizes = uvloop.run(run_calls(plan))
    print("\nThe whole job, 10 at once, per call (set-up: invite to the answer in the caller's hands)\n")
    show(COLUMNS, sizes)
    if keep:
        save("calls", on, plan, sizes, _picture(sizes))


def _picture(sizes: list[Measured]) -> str:
    labels = [_label(size.middle) for size in sizes]
    rate = Series("calls", [size.middle.calls_per_server_second for size in sizes])
    return bars("Whole calls per server CPU second", labels, [rate])


def _label(size: CallsResult) -> str:
    if size.is_plain:
        return "plain Tornado"
    return f"{size.idle:,.0f} {'browsing' if size.pages_per_second else 'idle'}"


async def run_calls(plan: Plan) -> list[Measured]:
    """Each size has its own site. The sizes alternate within a run, so that a slow minute affects all
    alike.
    """
    crowds = [(size, None) for size in plan.idle] + [(size, PAGE_EVERY_SECONDS) for size in plan.browsing]
    with ExitStack() as sites:
        benches = [await open_bench(sites.enter_context(site_under_test()), plan, *crowd) for crowd in crowds]
        if plan.with_plain:
            plain = sites.enter_context(plain_tornado(benches[0].site))
            benches.append(await open_bench(plain, plan, 0, None, is_plain=True))
        shares = [await bench.quiet() if bench.idle else 0.0 for bench in benches]
        runs = [[await bench.run() for bench in benches] for _ in range(plan.runs)]
        for bench in benches:
            bench.meter.close()
    return [
        measured([replace(run, idle_core_share=share) for run in of_size])
        for share, of_size in zip(shares, zip(*runs, strict=True), strict=True)
    ]


async def open_bench(
    site: SiteUnderTest,
    plan: Plan,
    idle: int,
    page_every_seconds: float | None,
    *,
    is_plain: bool = False,
    hold: Hold = hold,
) -> Bench:
    people = sign_up(site.database_url, 2 * PAIRS + idle + 1)
    bench = Bench(site, people[-1], plan.calls, page_every_seconds, is_plain=is_plain, hold=hold)
    bench.idle = await all_come(site.port, people[2 * PAIRS : -1])
    bench.leavers = itertools.cycle(bench.idle)
    bench.talkers = await all_come(site.port, people[: 2 * PAIRS])
    await bench.talk(WARM_UP_CALLS, Progress("warming up", WARM_UP_CALLS))
    return bench


class Bench:
    """A site with its users."""

    def __init__(
        self,
        site: SiteUnderTest,
        stranger: BenchUser,
        calls: int,
        page_every_seconds: float | None,
        *,
        is_plain: bool = False,
        hold: Hold = hold,
    ) -> None:
        self._hold_one = hold
        self.site, self._stranger, self._calls, self._is_plain = site, stranger, calls, is_plain
        self._page_every_seconds = page_every_seconds
        self.meter = Meter(site)
        self.idle: list[Present] = []
        self.leavers: Iterator[Present] = iter(())
        self.talkers: list[Present] = []
        self._retries = 0

    async def quiet(self) -> float:
        """The share of a core that the idle users take without calls."""
        async with self._looking():
            self.meter.start()
            await asyncio.sleep(QUIET_SECONDS)
            return self.meter.stop().server_seconds / QUIET_SECONDS

    async def run(self) -> CallsResult:
        before, self._retries = pushed(self.idle), 0
        async with self._looking() as looking:
            loop = asyncio.get_running_loop()
            self.meter.start()
            began = loop.time()
            times = await self.talk(self._calls, Progress(f"calls, {len(self.idle)} idle", self._calls))
            took = loop.time() - began
            cost = self.meter.stop()
        return self._result(times, took, cost, pushed(self.idle) - before, looking.pages)

    def _looking(self) -> Looking:
        return Looking(self.site.port, self.idle, self._stranger, self._page_every_seconds, self.leavers)

    async def talk(self, calls: int, progress: Progress) -> list[Times]:
        """Runs `calls` calls, ten at once, the pairs in turn."""
        pairs = asyncio.Queue[tuple[Present, Present]]()
        for at in range(0, len(self.talkers), 2):
            pairs.put_nowait((self.talkers[at], self.talkers[at + 1]))
        left = iter(range(calls))
        times: list[Times] = []

        async def work() -> None:
            for _ in left:
                pair = pairs.get_nowait()
                times.append(await self._hold(*pair))
                pairs.put_nowait(pair)
                progress.step()

        with progress:
            await asyncio.gather(*[work() for _ in range(AT_ONCE)])
        return times

    async def _hold(self, caller: Present, callee: Present) -> Times:
        while True:
            try:
                return await self._hold_one(self.site.port, caller, callee)
            except Declined as declined:
                if str(declined) != "busy":
                    raise
                # Their last call is still being cleaned up.
                self._retries += 1
                await asyncio.sleep(0.01)

    def _result(self, times: list[Times], took: float, cost: Cost, pushes: int, pages: int) -> CallsResult:
        count = len(times)
        rings, answers, clocks = (
            [getattr(t, name) for t in times] for name in ("ring", "answered", "running")
        )
        return CallsResult(
            is_plain=float(self._is_plain),
            idle=len(self.idle),
            pages_per_second=pages / took,
            calls_per_server_second=count / cost.server_seconds,
            calls_per_site_and_postgres_second=count / (cost.server_seconds + cost.postgres_seconds),
            calls_per_second=count / took,
            server_ms=1000 * cost.server_seconds / count,
            postgres_ms=1000 * cost.postgres_seconds / count,
            redis_ms=1000 * cost.redis_seconds / count,
            statements=cost.statements / count,
            redis_scripts=cost.redis_scripts / count,
            redis_commands=cost.redis_commands / count,
            ring_p50_ms=percentile(rings, 0.5),
            ring_p99_ms=percentile(rings, 0.99),
            answered_p50_ms=percentile(answers, 0.5),
            answered_p99_ms=percentile(answers, 0.99),
            running_p50_ms=percentile(clocks, 0.5),
            running_p99_ms=percentile(clocks, 0.99),
            pushes_per_second=pushes / took,
            idle_core_share=0.0,
            retries=self._retries,
        )
