"""`python -m bench ring`: time from the invite to the ring, with thousands online on one process.

An open loop, a few invites a second, each timed from when it was due until the callee's socket has
`call:notify`; then the caller cancels. At the same time the others request pages, and a stranger arrives and
leaves, as in `bench.benchmarks.calls`.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import uvloop

from bench.chart import Series, bars
from bench.client.call import ring
from bench.client.sockets import Looking, Present, all_come
from bench.client.users import sign_up
from bench.meter import percentile
from bench.progress import Progress
from bench.report import Measured, machine, measured, save, show
from bench.site_process import site_under_test

COLUMNS = {
    "online": "online", "per_second": "rings/s", "p50_ms": "p50 ms", "p99_ms": "p99 ms", "most_ms": "most ms",
}  # fmt: skip
PAIRS = 50
PAGE_EVERY_SECONDS = 30.0
WARM_UP = 50
PATIENCE_SECONDS = 10.0
SETTINGS = {"COOLDOWN_MISSED_SECONDS": "0"}


@dataclass(frozen=True)
class Plan:
    online: tuple[int, ...] = (500, 5000)
    per_second: int = 5
    rings: int = 200
    runs: int = 3


@dataclass(frozen=True)
class RingResult:
    online: float
    per_second: float
    p50_ms: float
    p99_ms: float
    most_ms: float


def rings(plan: Plan, *, keep: bool) -> None:
    on = machine()
    sizes = uvloop.run(run_rings(plan))
    print("\nFrom the invite (when it was due) to the ring\n")
    show(COLUMNS, sizes)
    if keep:
        save("ring", on, plan, sizes, _picture(sizes))


def _picture(sizes: list[Measured]) -> str:
    labels = [f"{size.middle.online:,.0f} online" for size in sizes]
    median = Series("median", [size.middle.p50_ms for size in sizes])
    slow = Series("99 of 100", [size.middle.p99_ms for size in sizes])
    return bars("Milliseconds from invite to ring", labels, [median, slow], target=50.0)


async def run_rings(plan: Plan) -> list[Measured]:
    return [await _measure(plan, online) for online in plan.online]


async def _measure(plan: Plan, online: int) -> Measured:
    with site_under_test(None, **SETTINGS) as site:
        people = sign_up(site.database_url, online + 1)
        here = await all_come(site.port, people[:-1])
        pairs = [(here[at], here[at + 1]) for at in range(0, 2 * PAIRS, 2)]
        looking = Looking(site.port, here[2 * PAIRS :], people[-1], PAGE_EVERY_SECONDS)
        async with looking:
            await _ring_all(pairs, plan.per_second, WARM_UP)
            runs = [await _ring_all(pairs, plan.per_second, plan.rings) for _ in range(plan.runs)]
    return measured([_result(online, plan, times) for times in runs])


def _result(online: int, plan: Plan, times: list[float]) -> RingResult:
    return RingResult(
        online=online,
        per_second=plan.per_second,
        p50_ms=percentile(times, 0.5),
        p99_ms=percentile(times, 0.99),
        most_ms=max(times),
    )


async def _ring_all(pairs: list[tuple[Present, Present]], per_second: int, count: int) -> list[float]:
    began = time.perf_counter()
    with Progress(f"{per_second} rings a second", count) as progress:
        return await asyncio.gather(
            *[
                _ring_at(began + number / per_second, *pairs[number % PAIRS], progress)
                for number in range(count)
            ]
        )


async def _ring_at(due: float, caller: Present, callee: Present, progress: Progress) -> float:
    """Milliseconds from `due`. The ring is over when both sides have got the cancellation."""
    await asyncio.sleep(max(0.0, due - time.perf_counter()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        invite_id = await ring(caller, callee)
        milliseconds = 1000 * (time.perf_counter() - due)
        await caller.socket.receive("call:ringing")
        caller.socket.send(type="call:cancel", id="cancel", inviteId=invite_id)
        await asyncio.gather(*[one.socket.receive("call:cancelled") for one in (caller, callee)])
    progress.step()
    return milliseconds
