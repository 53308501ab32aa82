"""`python -m bench relay`: throughput and latency of messages between the two seats of calls.

Messages per CPU second of the server, and the time of one message at a steady pace; in alternation with plain
socket.io. Ours are real calls, rung, accepted and running, through the real `server.py`; socket.io's are two
sockets in a room (`bench/socketio/relay.js`). One client drives both with one message, an `rtc:ice` of one
candidate.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import psutil
import uvloop

from bench.chart import Series, bars
from bench.client.call import CANDIDATE, meet
from bench.client.connections import WireSocket
from bench.client.open_loop import pace
from bench.client.ping_pong import rally
from bench.client.sockets import Present, all_come
from bench.client.users import sign_up
from bench.meter import cpu_seconds, percentile
from bench.report import Measured, machine, measured, save, show
from bench.site_process import SiteUnderTest, site_under_test
from bench.socketio_relay import SocketIo, socketio_relay

CALL_SECONDS = 1800
ICE = {"candidate": CANDIDATE, "attempt": 1}
OURS = msgspec.json.encode({"type": "rtc:ice", **ICE})
SOCKETIO = b"42" + msgspec.json.encode(["rtc:ice", ICE])
MEETING_AT_ONCE = 5
OUR_COLUMNS = {"pairs": "pairs", "in_flight": "in flight", "ours": "ours/CPU s", "ours_per_second": "ours/s"}
BESIDE_COLUMNS = {"socketio": "socket.io/CPU s", "socketio_per_second": "socket.io/s", "ratio": "ratio"}
LATENCY_COLUMNS = {
    "per_second": "per second", "p50_ms": "p50 ms", "p99_ms": "p99 ms", "most_ms": "most ms",
    "sent_late_p99_ms": "of that sent late, p99",
}  # fmt: skip


class Load(NamedTuple):
    name: str
    pairs: int
    in_flight: int


@dataclass(frozen=True)
class Plan:
    loads: tuple[Load, ...] = (Load("burst", 50, 100), Load("trickle", 50, 1), Load("one pair", 1, 1))
    seconds: float = 4.0
    warm_up: float = 2.0
    per_second: int = 1000
    timed: int = 10_000
    runs: int = 3
    with_socketio: bool = True


BRIEF = Plan(seconds=1.0, warm_up=0.5, timed=2000, runs=1, with_socketio=False)


@dataclass(frozen=True)
class RelayResult:
    """Messages relayed per CPU second of the server, and per second; 0 for socket.io where it is not
    measured.
    """

    pairs: float
    in_flight: float
    ours: float
    socketio: float
    ratio: float
    ours_per_second: float
    socketio_per_second: float


@dataclass(frozen=True)
class LatencyResult:
    """Milliseconds from when a message was due until the peer had it; `sent_late` is the client's share."""

    per_second: float
    p50_ms: float
    p99_ms: float
    most_ms: float
    sent_late_p99_ms: float


@dataclass(frozen=True)
class Relay:
    """One of the two relays under test."""

    name: str
    process: psutil.Process
    pairs: Sequence[tuple[WireSocket, WireSocket]]
    frame: bytes

    async def push(self, load: Load, seconds: float) -> tuple[float, float]:
        """Messages per CPU second, and per second."""
        loop = asyncio.get_running_loop()
        cpu, began = cpu_seconds(self.process), loop.time()
        count = await rally(
            self.pairs[: load.pairs], self.frame, load.in_flight, seconds, f"{load.name}, {self.name}"
        )
        took = loop.time() - began
        return count / (cpu_seconds(self.process) - cpu), count / took

    async def time(self, plan: Plan) -> LatencyResult:
        times, late = await pace(
            self.pairs, self.frame, plan.per_second, plan.timed, f"{plan.per_second}/s, {self.name}"
        )
        return LatencyResult(
            per_second=plan.per_second,
            p50_ms=percentile(times, 0.5),
            p99_ms=percentile(times, 0.99),
            most_ms=max(times),
            sent_late_p99_ms=percentile(late, 0.99),
        )


class RelayMeasured(NamedTuple):
    """`rates` as `plan.loads`; `latencies` by the name of the relay."""

    rates: list[Measured]
    latencies: dict[str, Measured]


def relay(plan: Plan, *, keep: bool) -> None:
    on = machine()
    rates, latencies = uvloop.run(run_relay(plan))
    names = [load.name for load in plan.loads]
    print("\nMessages relayed between the seats of calls, per CPU second of the server\n")
    show(OUR_COLUMNS | (BESIDE_COLUMNS if len(latencies) > 1 else {}), rates, names)
    print("\nHow long one takes, from when it was due\n")
    show(LATENCY_COLUMNS, list(latencies.values()), list(latencies))
    if keep:
        save("relay", on, plan, rates, _rates_picture(names, rates))
        save("relay_latency", on, plan, list(latencies.values()), _latency_picture(latencies))


def _rates_picture(names: list[str], rates: list[Measured]) -> str:
    ours = Series("ours", [rate.middle.ours for rate in rates])
    theirs = Series("socket.io", [rate.middle.socketio for rate in rates])
    return bars("Messages relayed per server CPU second", names, [ours, theirs])


def _latency_picture(latencies: dict[str, Measured]) -> str:
    series = [
        Series(name, [times.middle.p50_ms, times.middle.p99_ms, times.middle.most_ms])
        for name, times in latencies.items()
    ]
    return bars("Milliseconds from due to there", ["median", "99 of 100", "longest"], series, target=5.0)


async def run_relay(plan: Plan) -> RelayMeasured:
    with site_under_test() as site, contextlib.ExitStack() as stack:
        beside = stack.enter_context(socketio_relay()) if plan.with_socketio else None
        most = max(load.pairs for load in plan.loads)
        relays = [await _ours(site, most)]
        if beside is not None:
            relays.append(await _socketio(beside, most))
        for relay in relays:
            await relay.push(plan.loads[0], plan.warm_up)
        rates = [[await _rates(relays, load, plan.seconds) for load in plan.loads] for _ in range(plan.runs)]
        times = [[await relay.time(plan) for relay in relays] for _ in range(plan.runs)]
    return RelayMeasured(
        [measured([run[at] for run in rates]) for at in range(len(plan.loads))],
        {relay.name: measured([run[at] for run in times]) for at, relay in enumerate(relays)},
    )


async def _rates(relays: Sequence[Relay], load: Load, seconds: float) -> RelayResult:
    pushed = [await relay.push(load, seconds) for relay in relays]
    (ours, ours_wall), (theirs, theirs_wall) = pushed if len(pushed) == 2 else (*pushed, (0.0, 0.0))
    return RelayResult(
        pairs=load.pairs,
        in_flight=load.in_flight,
        ours=ours,
        socketio=theirs,
        ratio=ours / theirs if theirs else 0.0,
        ours_per_second=ours_wall,
        socketio_per_second=theirs_wall,
    )


async def _ours(site: SiteUnderTest, pairs: int) -> Relay:
    here = await all_come(site.port, sign_up(site.database_url, 2 * pairs))
    couples = iter([(here[at], here[at + 1]) for at in range(0, len(here), 2)])
    seats: list[tuple[WireSocket, WireSocket]] = []

    async def bring_together() -> None:
        for caller, callee in couples:
            seats.append(await _meet(site, caller, callee))

    await asyncio.gather(*[bring_together() for _ in range(MEETING_AT_ONCE)])
    return Relay("ours", psutil.Process(site.pid), seats, OURS)


async def _meet(site: SiteUnderTest, caller: Present, callee: Present) -> tuple[WireSocket, WireSocket]:
    return await meet(site.port, caller, callee, CALL_SECONDS)


async def _socketio(beside: SocketIo, pairs: int) -> Relay:
    rooms = [await beside.pair(room) for room in range(pairs)]
    return Relay("socket.io", psutil.Process(beside.pid), rooms, SOCKETIO)
