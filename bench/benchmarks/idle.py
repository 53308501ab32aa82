"""`python -m bench idle`: the memory and CPU time of open, idle sockets.

Measured on a process with thousands of sockets: resident memory per socket, and the share of a core that all
of them take while idle. All users are signed in, on `/ws/invites`, and joined; then all also get a first page
of twenty cards. Every run has its own server, since memory is seldom returned. For comparison, socket.io's
bare sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import uvloop

from bench.chart import Series, bars
from bench.client.connections import HttpConnection
from bench.client.sockets import OPENING_AT_ONCE, Present
from bench.client.users import BenchUser, sign_up
from bench.meter import cpu_seconds
from bench.progress import Progress
from bench.report import Measured, machine, measured, save, show
from bench.site_process import site_under_test
from bench.socketio_relay import socketio_relay

COLUMNS = {
    "sockets": "sockets", "joined_kb": "kB a socket", "with_page_kb": "with a page", "idle_core": "idle core",
    "socketio_kb": "socket.io kB",
}  # fmt: skip
# The first sockets load what all sockets share.
FIRST = 200


@dataclass(frozen=True)
class Plan:
    sockets: int = 10_000
    quiet_seconds: float = 20.0
    runs: int = 3
    with_socketio: bool = True


@dataclass(frozen=True)
class IdleResult:
    """Kilobytes (1,000 bytes) of resident memory per socket; `idle_core` is the share of one core that all
    sockets take together. socket.io's figure is 0 where it is not measured.
    """

    sockets: float
    joined_kb: float
    with_page_kb: float
    idle_core: float
    socketio_kb: float


def idle(plan: Plan, *, keep: bool) -> None:
    on = machine()
    size = measured([uvloop.run(run_idle(plan)) for _ in range(plan.runs)])
    print("\nResident memory of the server for each idle socket\n")
    show(COLUMNS, [size])
    if keep:
        save("idle", on, plan, [size], _picture(size))


def _picture(size: Measured) -> str:
    middle = size.middle
    series = [Series("kB", [middle.joined_kb, middle.with_page_kb, middle.socketio_kb])]
    return bars("Resident kB a socket", ["joined", "with a page", "socket.io"], series, target=20.0)


async def run_idle(plan: Plan) -> IdleResult:
    theirs = await _socketio(plan) if plan.with_socketio else 0.0
    with site_under_test() as site:
        people, process = sign_up(site.database_url, FIRST + plan.sockets), psutil.Process(site.pid)
        here = await _come(site.port, people[:FIRST])
        await _look(site.port, here)
        before = _resident(process)
        more = await _come(site.port, people[FIRST:])
        joined = _resident(process)
        share = await _quiet(process, plan.quiet_seconds)
        await _look(site.port, more)
        with_page = _resident(process)
        assert all(one.socket.close_code is None for one in [*here, *more])
    return IdleResult(
        sockets=plan.sockets,
        joined_kb=(joined - before) / 1000 / plan.sockets,
        with_page_kb=(with_page - before) / 1000 / plan.sockets,
        idle_core=share,
        socketio_kb=theirs,
    )


async def _come(port: int, people: Sequence[BenchUser]) -> list[Present]:
    left, here = iter(people), []

    async def bring(progress: Progress) -> None:
        for person in left:
            here.append(await Present.come(port, person))
            progress.step()

    with Progress("opening sockets", len(people)) as progress:
        await asyncio.gather(*[bring(progress) for _ in range(OPENING_AT_ONCE)])
    return here


async def _look(port: int, people: Sequence[Present]) -> None:
    """All users request a first page."""
    left = iter(people)

    async def ask(progress: Progress) -> None:
        http = await HttpConnection.open(port)
        for one in left:
            await http.get("/room/queue", one.person.token)
            progress.step()
        http.close()

    with Progress("first pages", len(people)) as progress:
        await asyncio.gather(*[ask(progress) for _ in range(OPENING_AT_ONCE)])


async def _quiet(process: psutil.Process, seconds: float) -> float:
    before = cpu_seconds(process)
    await asyncio.sleep(seconds)
    return (cpu_seconds(process) - before) / seconds


def _resident(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


async def _socketio(plan: Plan) -> float:
    with socketio_relay() as beside:
        if beside is None:
            return 0.0
        process = psutil.Process(beside.pid)
        first = [await beside.pair(room) for room in range(FIRST // 2)]
        before = _resident(process)
        more = [await beside.pair(room) for room in range(FIRST, FIRST + plan.sockets // 2)]
        after = _resident(process)
        for pair in [*first, *more]:
            for socket in pair:
                socket.close()
    return (after - before) / 1000 / plan.sockets
