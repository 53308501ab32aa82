"""The site under test: the real `server.py` as a child process, with its PostgreSQL and Redis.

The two servers are the embedded ones with their default settings (fsync on), in a temporary directory. They
are started here and passed by URL, so that the child's CPU time is the site's alone. Limits are so high that
they count but never reject; a cooldown of zero lets the same pairs talk again.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from models.processes.embedded import Embedded

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
SETTINGS = {
    "HOST": "127.0.0.1",
    "STUN_URLS": "",
    "API_PER_MINUTE": "1000000",
    "GUESTS_PER_HOUR": "1000000",
    "TURN_PER_HOUR": "1000000",
    "INVITE_MESSAGES_PER_SECOND": "1000000",
    "RELAY_MESSAGES_PER_SECOND": "1000000",
    "SOCKETS_PER_PERSON": "1000000",
    "SOCKETS_PER_ADDRESS": "1000000",
    "COOLDOWN_CONNECTED_SECONDS": "0",
}


@dataclass(frozen=True)
class SiteUnderTest:
    """The running site. `postgres_pid` and `redis_pid` are measured too."""

    pid: int
    port: int
    postgres_pid: int
    redis_pid: int
    database_url: str
    redis_url: str


@contextmanager
def site_under_test(
    profile: Path | None = None, code: Path = ROOT, **settings: str
) -> Iterator[SiteUnderTest]:
    """A temporary site for the block. With `profile`, it runs under cProfile, which writes its result there.
    `code` is the checkout whose `server.py` runs; it may be another revision.
    """
    _raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="bench-") as place, Embedded.start(Path(place) / "data") as pair:
        port = _free_port()
        process = _start(Path(place), port, pair, profile, code, settings)
        try:
            _wait_ready(process, port, Path(place) / "log")
            pids = pair.pids
            yield SiteUnderTest(
                process.pid, port, pids["postgres"], pids["valkey-server"], pair.database_url, pair.redis_url
            )
        except Exception as error:
            error.add_note("The server's last words:\n" + _last_words(Path(place) / "log"))
            raise
        finally:
            process.terminate()
            process.wait()


@contextmanager
def plain_tornado(beside: SiteUnderTest) -> Iterator[SiteUnderTest]:
    """`bench/plain_tornado.py` as a process, with the servers and the users of another site."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        log = Path(place) / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.plain_tornado", str(port), beside.database_url],
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_ready(process, port, log)
            yield replace(beside, pid=process.pid, port=port)
        finally:
            process.terminate()
            process.wait()


def _start(
    place: Path, port: int, pair: Embedded, profile: Path | None, code: Path, settings: dict[str, str]
) -> subprocess.Popen[bytes]:
    own = {"PORT": str(port), "DATABASE_URL": pair.database_url, "REDIS_URL": pair.redis_url}
    tool = [] if profile is None else ["-m", "cProfile", "-o", str(profile)]
    with (place / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, *tool, "server.py"],
            cwd=code,
            env={"PATH": os.environ.get("PATH", "")} | SETTINGS | own | settings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"The server did not start:\n{log.read_text()}")


def _last_words(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-5:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _raise_file_limit() -> None:
    """Allows thousands of sockets here and, by inheritance, in the server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
