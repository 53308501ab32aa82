"""A Redis server for a single test behind a proxy, with its faults."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import redis

from models.processes.embedded import Embedded
from models.redis.client import Bus
from tests.machines.faults.fault_proxy import FaultProxy


class FaultyRedis:
    """`url` leads through the proxy, `direct_url` does not."""

    def __init__(self, embedded: Embedded, proxy: FaultProxy) -> None:
        self._embedded = embedded
        self.proxy = proxy
        self.direct_url = embedded.redis_url
        self.url = f"redis://127.0.0.1:{proxy.port}"

    @classmethod
    @contextmanager
    def running(cls, data: Path) -> Iterator[FaultyRedis]:
        with (
            Embedded.start(data, durable=False, postgres=False) as embedded,
            FaultProxy(unquote(urlsplit(embedded.redis_url).path)) as proxy,
        ):
            yield cls(embedded, proxy)

    @contextmanager
    def hung(self) -> Iterator[None]:
        """The process is stopped: connections are accepted, and nothing is answered."""
        pid = self._embedded.pids["valkey-server"]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def say(self, *command: object) -> object:
        """Runs a command without the proxy and the models."""
        with redis.Redis.from_url(self.direct_url, decode_responses=True) as client:
            return client.execute_command(*command)

    @contextmanager
    def set(self, name: str, value: object, afterwards: object) -> Iterator[None]:
        self.say("CONFIG", "SET", name, value)
        try:
            yield
        finally:
            self.say("CONFIG", "SET", name, afterwards)


@asynccontextmanager
async def bus_at(url: str, process_id: str) -> AsyncIterator[Bus]:
    bus = Bus(url, process_id)
    try:
        yield bus
    finally:
        await bus.close()
