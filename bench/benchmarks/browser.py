"""`python -m bench browser --beside CHECKOUT`: short calls and calls of browsers, also at another revision.

Both revisions alternate in one run, each with its own servers, so that a slow minute affects both. Browsers
send the requests of their revision: before, room, call and end of call were documents of their own.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.benchmarks.calls import Bench, Plan, open_bench
from bench.chart import Series, bars
from bench.client.browser_call import IN_ONE_PAGE, IN_PAGES, Hold
from bench.client.call import hold
from bench.report import Measured, machine, measured, save, show
from bench.site_process import ROOT, site_under_test

COLUMNS = {
    "calls_per_server_second": "calls/CPU s", "calls_per_site_and_postgres_second": "with PG",
    "server_ms": "CPU ms", "postgres_ms": "PG ms", "redis_ms": "Redis ms", "statements": "SQL",
    "redis_scripts": "scripts", "answered_p50_ms": "set-up p50", "answered_p99_ms": "set-up p99",
}  # fmt: skip
# A call of half a minute is successful; here it takes no time.
SETTINGS = {"SUCCESS_SECONDS": "1", "CONNECT_SECONDS": "60"}


@dataclass(frozen=True)
class BrowserPlan:
    calls: int = 200
    runs: int = 3
    beside: str = ""


def browser(plan: BrowserPlan, *, keep: bool) -> None:
    on = machine()
    sizes = uvloop.run(run_browsers(plan))
    print("\nWhole calls, 10 at once, per call (set-up: invite to the answer in the caller's hands)\n")
    show(COLUMNS, list(sizes.values()), list(sizes))
    if keep:
        save("browser", on, plan, list(sizes.values()), _picture(sizes))


def _picture(sizes: dict[str, Measured]) -> str:
    rate = [size.middle.calls_per_site_and_postgres_second for size in sizes.values()]
    return bars("Calls per CPU second of site and PostgreSQL", list(sizes), [Series("calls", rate)])


async def run_browsers(plan: BrowserPlan) -> dict[str, Measured]:
    each: dict[str, tuple[Path, Hold]] = {"short": (ROOT, hold), "browsers": (ROOT, IN_ONE_PAGE)}
    if plan.beside:
        other = Path(plan.beside)
        each = {"short, before": (other, hold), "browsers, before": (other, IN_PAGES)} | each
    with ExitStack() as sites:
        benches: dict[str, Bench] = {}
        for name, (code, how) in each.items():
            site = sites.enter_context(site_under_test(code=code, **SETTINGS))
            benches[name] = await open_bench(site, Plan(calls=plan.calls), 0, None, hold=how)
        runs = [[await bench.run() for bench in benches.values()] for _ in range(plan.runs)]
        for bench in benches.values():
            bench.meter.close()
    return {
        name: measured(list(results)) for name, results in zip(benches, zip(*runs, strict=True), strict=True)
    }
