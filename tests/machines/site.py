"""One site on three processes behind a proxy: real `server.py`, real HAProxy, one PostgreSQL, one Redis."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tornado.testing import bind_unused_port

from models.postgres.migrations import migrate
from tests.journeys.server_process import ServerProcess
from tests.machines.actors.actor import Actor
from tests.machines.faults.fault_proxy import FaultProxy
from tests.machines.proxy import Proxy
from tests.machines.servers import Pair
from tests.support.clients import Client
from tests.support.scenes import until

PROCESSES = 3
SETTINGS = {
    "TRUSTED_PROXIES": "127.0.0.1",
    "DRAIN_WAIT_SECONDS": "2",
    "CODE_USES": "1000",
    "BAN_REPORTERS": "1",
    "SOCKETS_PER_ADDRESS": "100000",
}


class Machines:
    """`one`, `two`, `three`, and `url`, which leads through the proxy. With `over_tcp` they reach Redis
    through `to_redis`, which can fail.
    """

    def __init__(self, home: Path, *, over_tcp: bool = False) -> None:
        self.pair = Pair(home)
        self.to_redis = FaultProxy(self.pair.redis_socket)
        self.to_redis.start()
        redis_url = f"redis://127.0.0.1:{self.to_redis.port}" if over_tcp else self.pair.redis_url
        ports = [_free_port() for _ in range(PROCESSES + 1)]
        self.proxy = Proxy(home, ports[0], ports[1:])
        self.url = self.proxy.url
        shared = {"DATABASE_URL": self.pair.database_url, "REDIS_URL": redis_url}
        self.all = [
            ServerProcess(_made(home / str(port)), port, BASE_URL=self.url, **shared, **SETTINGS)
            for port in ports[1:]
        ]
        self.one, self.two, self.three = self.all
        self._down: set[int] = set()
        self._expected: set[str] = set()
        self.code: str | None = None

    def start(self) -> None:
        """The pair runs already."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda machine: machine.start(), self.all))
        self.proxy.start()
        self.wait_ready()

    def stop(self) -> None:
        self.proxy.stop()
        self.to_redis.stop()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda machine: machine.is_running and machine.stop(), self.all))
        self.pair.stop()

    def kill(self, *machines: ServerProcess) -> None:
        """SIGKILL, to all at about the same time."""
        for machine in machines:
            machine.kill()
            self._down.add(machine.port)

    def heal(self) -> None:
        """Restarts the processes that a test has killed."""
        for machine in self.all:
            if machine.port in self._down:
                machine.start()
        self._down.clear()

    def wait_ready(self, seconds: float = 10) -> None:
        """Waits until the proxy has seen every process ready."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._all_ready():
            time.sleep(0.05)

    def _all_ready(self) -> bool:
        return all(machine.is_ready() for machine in self.all)

    def other_than(self, *machines: ServerProcess) -> ServerProcess:
        return next(machine for machine in self.all if machine not in machines)

    @property
    def faults(self) -> list[str]:
        return [line for machine in self.all for line in machine.faults if line not in self._expected]

    def expect_faults(self, mark: str) -> None:
        """The logged faults so far that contain this were caused by the test."""
        self._expected.update(line for line in self.faults if mark in line)

    @contextlib.contextmanager
    def client(self, machine: ServerProcess | None = None) -> Any:
        """An API client through the proxy, or at one process."""
        client = Client(machine.url if machine else self.url)
        try:
            yield client
        finally:
            client.close()

    # -- past the models --

    def hurry(self, call_id: str, left_ms: int) -> None:
        self.pair.hurry(call_id, left_ms)

    async def check_over(self, call_id: str, a: Actor, b: Actor, reason: str, lines: set[str]) -> None:
        """The end was written once, sent to both alike, and no user stays busy."""
        (row,) = self.pair.rows("select ended_reason, caller_id::text from calls where call_id = %s", call_id)
        assert row == (reason, a.user_id)
        low, high = sorted([a.user_id, b.user_id])
        cooled = "select count(*) from cooldowns where (low_id, high_id) = (%s, %s)"
        assert self.pair.rows(cooled, low, high) == [(1,)]
        assert self.pair.rows("select count(*) from live_seats where call_id = %s", call_id) == [(0,)]
        for one in (a, b):
            (past,) = [call for call in (await one.get("/history"))["calls"] if call["callId"] == call_id]
            assert past["endedReason"] == reason
            assert sorted(await all_lines(one, past)) == sorted(lines)
            assert await self.is_free(one)

    async def is_free(self, actor: Actor) -> bool:
        """Waits until neither a seat nor a key in Redis keeps them busy."""
        seats = "select count(*) from live_seats where user_id = %s"
        await until(lambda: self.pair.rows(seats, actor.user_id) == [(0,)])
        await until(lambda: not self.is_busy(actor))
        return True

    def is_busy(self, actor: Actor) -> bool:
        with self.pair.keys() as keys:
            return bool(keys.exists(f"ns:busy:{actor.user_id}"))

    def is_listed(self, actor: Actor) -> bool:
        with self.pair.keys() as keys:
            return keys.zscore("ns:queue", actor.user_id) is not None

    def is_online(self, actor: Actor) -> bool:
        with self.pair.keys() as keys:
            return bool(keys.sismember("ns:online", actor.user_id))

    def end_of(self, call_id: str) -> str | None:
        (row,) = self.pair.rows("select ended_reason from calls where call_id = %s", call_id)
        return row[0]  # type: ignore[return-value]


@contextlib.contextmanager
def running(*, over_tcp: bool = False) -> Iterator[Machines]:
    # Not pytest's own directory: another run makes that private again, and PostgreSQL could not restart.
    with tempfile.TemporaryDirectory(prefix="napalmsky-machines-") as home:
        machines = Machines(Path(home), over_tcp=over_tcp)
        try:
            machines.pair.start()
            migrate(machines.pair.database_url)
            machines.start()
            yield machines
        finally:
            machines.stop()


def _free_port() -> int:
    socket, port = bind_unused_port()
    socket.close()
    return port


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory


async def all_lines(actor: Actor, past: dict[str, Any]) -> list[str]:
    """The chat lines of a call of the history, its later pages included."""
    messages, url = list(past["messages"]), past.get("moreMessagesUrl")
    while url:
        page = await actor.get(url)
        messages += page["messages"]
        cursor = page["nextCursor"]
        url = f"/calls/{past['callId']}/messages?cursor={cursor}" if cursor else None
    return [line["text"] for line in messages]
