"""Fixtures for ICE servers: a frozen clock, a stand-in for Twilio, and `Turn` with any settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tornado.ioloop import IOLoop

from models.calls.turn import IceServer, IceServers, Turn
from models.clock import Clock
from models.redis.client import Bus
from models.settings.config import Config
from tests.support.servers import Servers

SECRET = "a secret of sixteen"
URLS = ("turn:turn.test:3478", "turn:turn.test:3478?transport=tcp", "turns:turn.test:443?transport=tcp")
COTURN = {"turn_urls": URLS, "turn_secret": SECRET}
STUN = IceServer(urls=["stun:stun.test:3478"])
CALL, ANNA, BEN = "call-1", "anna", "ben"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
# Five minutes of call, one of pauses, one of margin.
LIFE = 300 + 60 + 60

MakeTurn = Callable[..., Turn]


@pytest.fixture
def still_clock() -> Clock:
    clock = Clock()
    clock.freeze(NOW)
    return clock


@pytest.fixture
def make_turn(io_loop: IOLoop, servers: Servers, still_clock: Clock) -> Iterator[MakeTurn]:
    """`make_turn(**settings)`: another `Turn` on the same Redis, as in another process."""
    opened: list[tuple[Turn, Bus]] = []

    def make(redis_url: str = servers.redis_url, **settings: object) -> Turn:
        bus = Bus(redis_url, process_id=f"process-{len(opened)}")
        config = replace(Config(stun_urls=tuple(STUN.urls)), **settings)  # type: ignore[arg-type]
        opened.append((Turn(config, bus, still_clock), bus))
        return opened[-1][0]

    yield make
    for turn, bus in opened:
        io_loop.run_sync(turn.close)
        io_loop.run_sync(bus.close)


async def ask(turn: Turn, user_id: str = ANNA, call_id: str = CALL, seconds: float = 300) -> IceServers:
    return await turn.for_call(call_id, user_id, round(seconds * 1000))


def names(answer: IceServers) -> list[str]:
    return [server.username or "" for server in answer.ice_servers]
