"""A scripted call and a page visitor at one process, and their waiting times during an attack on it.

    meter = await beside(attack(), machines.one, a, b)
    meter.check()

The attack runs in a process of its own (`attackers`), so that its own work does not delay what is measured.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.conftest import ROOT
from tests.journeys.server_process import ServerProcess
from tests.machines.actors import tally
from tests.machines.actors.actor import Actor, Talk, in_call
from tests.support.scenes import until

SECONDS = float(os.environ.get("ATTACK_SECONDS", "60"))
MOST_MESSAGE_MS, MOST_PAGE_MS, LONGEST_PAGE_MS, MOST_GROWTH = 50.0, 300.0, 1000.0, 50 * 2**20
MESSAGE_EVERY, PAGE_EVERY, MEMORY_EVERY, LATE_EVERY, WARM_UP = 0.025, 0.1, 0.25, 0.02, 3.0
# Real attackers have processors of their own; these leave ours to the server and to what measures it.
NICE = ("nice", "-n", "10")
PAGES = ("/", "/room/queue", "/user/me", "/healthz")


@dataclass
class Meter:
    """Milliseconds of each relayed message and page; the memory of the process, before and at most.

    `late`: by how many milliseconds this process itself wakes too late. Compare: it is part of every figure.
    """

    messages: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    before: int = 0
    most: int = 0
    attack: Any = None

    @property
    def growth(self) -> int:
        return self.most - self.before

    def check(self) -> None:
        """The limits during an attack: p99 of the messages, p99 and longest of the pages, growth of memory.

        The longest page may be late by as much as this process itself was.
        """
        assert self.statuses == {200}, self
        assert p99(self.messages) < MOST_MESSAGE_MS, self
        assert p99(self.pages) < MOST_PAGE_MS, self
        assert max(self.pages) - max(self.late) < LONGEST_PAGE_MS, self
        assert self.growth < MOST_GROWTH, self

    def __str__(self) -> str:
        return (
            f"messages {_summary(self.messages)}; pages {_summary(self.pages)}; "
            f"own lateness {_summary(self.late)}; "
            f"memory {self.before / 2**20:.0f} MiB, growth {self.growth / 2**20:.1f}"
        )

    __repr__ = __str__


def _summary(figures: list[float]) -> str:
    return f"{len(figures)}: p99 {p99(figures):.1f} ms, longest {max(figures):.1f} ms"


def p99(figures: list[float]) -> float:
    return sorted(figures)[len(figures) * 99 // 100]


async def beside(attack: Coroutine[Any, Any, Any], at: ServerProcess, a: Actor, b: Actor) -> Meter:
    """Runs a call of both at this process, a visitor of its pages, and the attack until it ends, and measures
    them.

    Both actors have arrived at `at`. The figures of the warm-up, before the attack begins, are not counted.
    """
    await in_call(a, b, a_at=at.url, b_at=at.url, seconds=1800)
    await _watched(_pause(WARM_UP), at, a, b)
    meter = await _watched(attack, at, a, b)
    a.talking.line.send("call:end")
    assert await a.talking.end() == await b.talking.end()
    print(meter, flush=True)
    return meter


async def _watched(work: Coroutine[Any, Any, Any], at: ServerProcess, a: Actor, b: Actor) -> Meter:
    meter = Meter(before=_memory(at))
    watchers = [
        asyncio.create_task(_talk(meter, a.talking, b.talking)),
        asyncio.create_task(_talk(meter, b.talking, a.talking)),
        asyncio.create_task(_visit(meter, a)),
        asyncio.create_task(_weigh(meter, at)),
        asyncio.create_task(_wake(meter)),
    ]
    try:
        meter.attack = await work
    finally:
        for watcher in watchers:
            watcher.cancel()
        ended = await asyncio.gather(*watchers, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
    return meter


async def _pause(seconds: float) -> None:
    until_at = time.perf_counter() + seconds
    await until(lambda: time.perf_counter() >= until_at, seconds + 5)


async def _talk(meter: Meter, sender: Talk, hearer: Talk) -> None:
    for number in itertools.count():
        began = time.perf_counter()
        sender.line.send("rtc:ice", candidate=f"{number} {began}")
        await hearer.line.hear("rtc:ice", candidate=f"{number} {began}", seconds=30)
        meter.messages.append((time.perf_counter() - began) * 1000)
        await _pause(began + MESSAGE_EVERY - time.perf_counter())


async def _visit(meter: Meter, visitor: Actor) -> None:
    for path in itertools.cycle(PAGES):
        began = time.perf_counter()
        answer = await visitor.client.get(path, token=visitor.token)
        meter.pages.append((time.perf_counter() - began) * 1000)
        meter.statuses.add(answer.status)
        await _pause(began + PAGE_EVERY - time.perf_counter())


async def _wake(meter: Meter) -> None:
    while True:
        began = time.perf_counter()
        await asyncio.sleep(LATE_EVERY)
        meter.late.append((time.perf_counter() - began - LATE_EVERY) * 1000)


async def _weigh(meter: Meter, at: ServerProcess) -> None:
    while True:
        meter.most = max(meter.most, _memory(at))
        await asyncio.sleep(MEMORY_EVERY)


def _memory(at: ServerProcess) -> int:
    """Of the server's own process; children that decode uploads have their own limits."""
    return int(psutil.Process(at.pid).memory_info().rss)


async def attackers(module: str, *words: str) -> tally.Tally:
    """Runs `python -m tests.machines.actors.<module> words…` until it ends, and returns what it counted; it
    must exit with 0.
    """
    process = await asyncio.create_subprocess_exec(
        *NICE, sys.executable, "-m", f"tests.machines.actors.{module}", *words, cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        output, _ = await process.communicate()
        assert process.returncode == 0, module
        print(output.decode(), flush=True)
        return tally.read(output)
    finally:
        if process.returncode is None:
            process.kill()
