"""WORKERS: the real program, two processes on one port, killed, replaced and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tornado.testing import bind_unused_port

from models.processes.embedded import Embedded
from tests.conftest import ROOT
from tests.support.servers import Servers

SECONDS = 90.0


class Served:
    """`server.py` with workers."""

    def __init__(self, process: subprocess.Popen[str], port: int, data_dir: Path) -> None:
        self.process, self.port, self.data_dir = process, port, data_dir

    def workers(self) -> set[int]:
        children = psutil.Process(self.process.pid).children()
        return {child.pid for child in children if "worker" in _command_of(child)}

    def answers(self) -> bool:
        return bool(self.get("/readyz"))

    def get(self, path: str) -> str:
        """On a connection of its own, which any worker may accept. Raises: HTTPError, unless it is 200."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def metric(self, name: str) -> float:
        """The sum over all labels."""
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in lines)


def _command_of(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def served(place: Path, servers: Servers) -> Iterator[Served]:
    """Two workers, with the PostgreSQL and Redis of the run."""
    urls = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
    with serving(place, 2, **urls) as running:
        yield running


@contextmanager
def serving(place: Path, workers: int, **settings: str) -> Iterator[Served]:
    socket, port = bind_unused_port()
    socket.close()
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "DATA_DIR": str(place / "data")} | settings
    process = subprocess.Popen(
        [sys.executable, "server.py"],
        cwd=ROOT,
        env=environment | {"PORT": str(port), "WORKERS": str(workers), "STUN_URLS": "none", "TURN": "off"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "is up" in process.stdout.readline()
    try:
        yield Served(process, port, place / "data")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) in (0, -signal.SIGKILL)
        process.stdout.close()


HEALTH = 'napalmsky_http_requests_total{handler="HealthHandler"'


def test_a_killed_worker_is_restarted_and_all_are_replaced_in_turn(served: Served) -> None:
    """The metrics are sums over all workers, also those that have ended."""
    first = served.workers()
    assert len(first) == 2
    assert served.answers()
    for _ in range(20):
        served.get("/healthz")
    wait_for(lambda: served.metric(HEALTH) == 20)
    one = psutil.Process(min(first)).memory_info().rss
    wait_for(lambda: served.metric("process_resident_memory_bytes") > 1.5 * one)
    memory = served.metric("process_resident_memory_bytes")
    os.kill(min(first), signal.SIGKILL)
    wait_for(lambda: len(served.workers() - {min(first)}) == 2)
    second = served.workers()
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(served.workers()) == 2 and not served.workers() & second)
    assert served.answers()
    wait_for(lambda: len(served.workers()) == 2)
    assert served.metric(HEALTH) == 20
    assert served.metric("napalmsky_database_statements_total") > 0
    assert served.metric("process_resident_memory_bytes") < 1.4 * memory


def test_no_worker_outlives_its_parent(place: Path) -> None:
    with serving(place, 2) as served:
        workers = [psutil.Process(pid) for pid in served.workers()]
        served.process.kill()
        wait_for(lambda: not any(worker.is_running() and _command_of(worker) for worker in workers))
        # The next start finds the remaining embedded servers and stops them.
        Embedded.start(served.data_dir).stop()


def test_a_stop_during_a_rolling_restart_leaves_no_process(served: Served) -> None:
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(served.workers()) == 3)
    workers = [psutil.Process(pid) for pid in served.workers()]
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(25) == 0
    wait_for(lambda: not any(worker.is_running() and _command_of(worker) for worker in workers))


def test_one_process_drains_on_sighup_and_leaves_no_server(place: Path) -> None:
    """As when its terminal closes."""
    with serving(place, 1) as served:
        servers = psutil.Process(served.process.pid).children()
        assert {"postgres", "valkey-server"} <= {server.name() for server in servers}
        served.process.send_signal(signal.SIGHUP)
        assert served.process.wait(25) == 0
        assert not any(server.is_running() for server in servers)
