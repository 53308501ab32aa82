"""The timer of a connection: pings, a client that is silent, and the time limit of the closing."""

from __future__ import annotations

import asyncio

import pytest

from handlers.realtime import connection
from handlers.realtime.connection import Keepalive
from tests.support.scenes import until


class Seen:
    def __init__(self, seconds: float) -> None:
        self.pings = self.drops = 0
        self.timer = Keepalive(seconds, self.ping, self.drop)

    def ping(self) -> None:
        self.pings += 1

    def drop(self) -> None:
        self.drops += 1


async def later(seconds: float) -> None:
    """Returns when a timer of this length has run: those that were set before have run too."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.call_later(seconds, ended.set)
    await ended.wait()


async def test_a_client_that_answers_is_pinged_again_and_again() -> None:
    seen = Seen(0.005)
    seen.timer.start()
    while seen.pings < 3:
        await asyncio.sleep(0.001)
        seen.timer.is_quiet = False
    seen.timer.stop()
    assert seen.drops == 0


async def test_a_client_that_is_silent_after_a_ping_is_dropped_once() -> None:
    seen = Seen(0.005)
    seen.timer.start()
    await until(lambda: seen.drops)
    await later(0.02)
    assert (seen.pings, seen.drops) == (1, 1)


async def test_the_time_limit_of_the_closing_begins_once_and_replaces_the_pings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.05)
    seen, loop = Seen(0.01), asyncio.get_running_loop()
    seen.timer.start()
    began = loop.time()
    while not seen.drops:
        seen.timer.closing()
        await asyncio.sleep(0.001)
    assert 0.04 < loop.time() - began < 0.5
    assert seen.pings == 0


async def test_a_stopped_timer_calls_nothing() -> None:
    seen = Seen(0.001)
    seen.timer.start()
    seen.timer.stop()
    await later(0.01)
    assert (seen.pings, seen.drops) == (0, 0)
