"""Embedded PostgreSQL and Redis, started if no URL is set, and our own Caddy and coturn beside them.

All files are under the data directory (`postgres`, `redis`, `run` for the sockets), with a lock and logs. The
data survive a restart. One process at a time uses a directory. A child that dies is restarted at once, after
growing pauses if it keeps dying. `stop` ends all within five seconds. A start after a kill removes what was
left.

Blocking: `start` is called before the event loop runs, `stop` after it has ended. Raises: EmbeddedInUse
(directory in use), EmbeddedUnwritable, with messages for the operator.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self

from models.processes.child_process import Server
from models.processes.data_directory import DataDirectory, EmbeddedError, free_owner
from models.processes.embedded_servers import LEAST_CONNECTIONS, Postgres, Redis
from models.processes.restarts import Restarts

__all__ = ["Embedded", "EmbeddedError", "EmbeddedInUse", "EmbeddedUnwritable", "claimed"]

START_SECONDS = 30.0
# The site waits no longer than this for a server without which it can run.
OPTIONAL_SECONDS = 10.0
STOP_SECONDS = 4.0
WATCH_SECONDS = 0.25
log = logging.getLogger(__name__)
# Errors that are caused by the data directory; all others are not.
UNWRITABLE = frozenset({
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST,
    errno.EISDIR,
    errno.ENOENT, errno.EIO, errno.ENAMETOOLONG, errno.ELOOP,
})  # fmt: skip
ADVICE_BY_REASON = {
    os.strerror(errno.ENOSPC): "Free some space there, or set DATA_DIR to another disk.",
    os.strerror(errno.EDQUOT): "Free some space there (a quota is used up), or set DATA_DIR to another disk.",
    os.strerror(errno.EROFS): "The file system is mounted read-only: mount it writable, or set DATA_DIR.",
}


class EmbeddedInUse(EmbeddedError):
    def __init__(self, data: Path, pid: str) -> None:
        who = f"another Napalm Sky (pid {pid})" if pid else "another Napalm Sky"
        super().__init__(f"The data directory {data} is in use by {who}. Stop it or set DATA_DIR.")


class EmbeddedUnwritable(EmbeddedError):
    def __init__(self, data: Path, reason: str | None) -> None:
        advice = ADVICE_BY_REASON.get(reason or "", "Make it writable for this user or set DATA_DIR.")
        super().__init__(f"The data directory {data} cannot be written ({reason}). {advice}")


class Embedded:
    """The running pair. `database_url` is a libpq URL, `redis_url` a `unix:///` one, both with our own
    sockets.
    """

    def __init__(self, lock: int, servers: Sequence[Server]) -> None:
        self._lock = lock
        self._servers = servers
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="embedded servers", daemon=True)

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        durable: bool = True,
        postgres: bool = True,
        redis: bool = True,
        others: Sequence[Callable[[DataDirectory], Server]] = (),
        connections: int = LEAST_CONNECTIONS,
        lock: int | None = None,
    ) -> Embedded:
        """Returns when all are ready, within about a second. Raises: EmbeddedError. `durable=False` is for
        tests: no fsync. `others` make further servers (Caddy, coturn). `connections` to PostgreSQL are
        allowed at least. One that is optional and does not start is left out. `lock` is that of a caller
        inside `claimed`, who keeps it.
        """
        data = Path(data_dir).absolute()
        lock = _claim(data) if lock is None else os.dup(lock)
        embedded = cls(lock, ())
        try:
            place = DataDirectory.find(data.resolve(), durable)

            def make_postgres(place: DataDirectory) -> Postgres:
                server = Postgres(place)
                server.most_connections = max(LEAST_CONNECTIONS, connections)
                return server

            wanted = ((make_postgres, postgres), (Redis, redis))
            makers = [*(kind for kind, is_wanted in wanted if is_wanted), *others]
            embedded._servers = [make(place) for make in makers]
            embedded._open()
        except OSError as error:
            embedded.stop()
            if error.errno not in UNWRITABLE:
                raise EmbeddedError(f"The built-in servers cannot be started ({error.strerror}).") from error
            raise EmbeddedUnwritable(data, error.strerror) from error
        except BaseException:
            embedded.stop()
            raise
        return embedded

    @staticmethod
    def running(data_dir: Path) -> tuple[str, str]:
        """The URLs of the pair that another process runs on this directory, after `start` raised
        EmbeddedInUse.
        """
        place = DataDirectory.find(Path(data_dir).absolute().resolve(), durable=True)
        return Postgres(place).url, Redis(place).url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def database_url(self) -> str:
        return self._one(Postgres).url

    @property
    def redis_url(self) -> str:
        return self._one(Redis).url

    @property
    def pids(self) -> dict[str, int]:
        """`{"postgres": pid, "valkey-server": pid}` of the current children."""
        return {server.program: server.pid for server in self._servers}

    def stop(self) -> None:
        """Stops both, cleanly if they manage it in four seconds. May be called twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        atexit.unregister(self.stop)
        if self._watcher.is_alive():
            self._watcher.join()
        deadline = time.monotonic() + STOP_SECONDS
        for server in self._servers:
            server.ask_to_stop()
        for server in self._servers:
            server.wait_stopped(deadline)
            server.place.tidy()
        os.close(self._lock)

    def _open(self) -> None:
        atexit.register(self.stop)
        for server in self._servers:
            self._attempt(server, server.start)
        for server in self._servers:
            seconds = OPTIONAL_SECONDS if server.is_optional else START_SECONDS
            self._attempt(server, partial(server.wait_ready, seconds))
        self._watcher.start()

    def _attempt(self, server: Server, step: Callable[[], None]) -> None:
        """An optional server that fails is left out; the log has the reason and the setting."""
        try:
            step()
        except (EmbeddedError, OSError) as error:
            if not server.is_optional:
                raise
            facts = {"setting": server.setting}
            log.warning("%s: the site runs without %s. %s", server.setting, server.title, error, extra=facts)
            server.is_left_out = True
            server.ask_to_stop()
            server.wait_stopped(time.monotonic())
            self._servers = [one for one in self._servers if one is not server]

    def _one(self, kind: type[Server]) -> Server:
        for server in self._servers:
            if isinstance(server, kind):
                return server
        raise EmbeddedError(f"The built-in {kind.title} was not requested.")

    def _watch(self) -> None:
        """Runs until `stop`, whatever fails in a round."""
        restarts = [Restarts(server) for server in self._servers]
        while not self._closing.wait(WATCH_SECONDS):
            for one in restarts:
                try:
                    one.look()
                except Exception:
                    log.exception("the watch of the embedded servers failed")


@contextmanager
def claimed(data: Path) -> Iterator[int]:
    """The directory's lock, for work that starts several servers in it. Raises: as `Embedded.start`."""
    lock = _claim(data)
    try:
        yield lock
    finally:
        os.close(lock)


def _claim(data: Path) -> int:
    """Takes the directory's lock, held by an open file: the kernel releases it however this process ends."""
    free_owner()
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedUnwritable(data, error.strerror) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.read(lock, 32).decode().strip()
        os.close(lock)
        raise EmbeddedInUse(data, pid) from None
    os.truncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock
