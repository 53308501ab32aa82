"""PostgreSQL and Redis that a test can stop, hang, restart and empty; they are not restarted
automatically.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg2
import redis

from models.processes.child_process import Server
from models.processes.data_directory import DataDirectory
from models.processes.embedded_servers import Postgres, Redis

SECONDS = 60.0


class Faulty:
    """One of the two servers, with its faults."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def start(self) -> None:
        self.server.start()
        self.server.wait_ready(SECONDS)

    def stop(self) -> None:
        """Stops it like an operator: its connections are closed, then the port is closed."""
        self.server.ask_to_stop()
        self.server.wait_stopped(time.monotonic() + SECONDS)

    def kill(self) -> None:
        """Ends all its processes at once (SIGKILL): what was not written to a file is lost."""
        processes = self._processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, SECONDS)
        self.server.wait_stopped(time.monotonic() + SECONDS)

    def hang(self) -> None:
        """Stops all its processes (SIGSTOP): connections are accepted, and nothing is answered."""
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self.server.pid)
        return [parent, *parent.children(recursive=True)]

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def hung(self) -> Iterator[None]:
        self.hang()
        try:
            yield
        finally:
            self.resume()


class Pair:
    """Both servers, in a temporary directory. Rows and keys can be read without the models."""

    def __init__(self, data: Path) -> None:
        place = DataDirectory.find(data.resolve(), durable=False)
        server = Redis(place)
        self.redis_socket = str(server.socket)
        self.postgres, self.redis = Faulty(Postgres(place)), Faulty(server)

    @property
    def database_url(self) -> str:
        return self.postgres.server.url

    @property
    def redis_url(self) -> str:
        return self.redis.server.url

    def start(self) -> None:
        self.postgres.start()
        self.redis.start()

    def stop(self) -> None:
        self.redis.stop()
        self.postgres.stop()

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        connection = psycopg2.connect(self.database_url, connect_timeout=5)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, values)
                return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def hurry(self, call_id: str, left_ms: int) -> None:
        """Sets the time left of a running call, as if the time before had passed."""
        self.rows(
            "update calls set version = version + 1, running_since = running_since - shift, "
            "connected_at = connected_at - shift, due_at = due_at - shift "
            "from (select running_since + remaining_ms * interval '1 ms' - clock_timestamp() "
            "- %s * interval '1 ms' as shift from calls where call_id = %s) how where call_id = %s",
            left_ms, call_id, call_id,
        )  # fmt: skip

    def keys(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, decode_responses=True)

    def empty_redis(self) -> tuple[int, int]:
        """The number of keys before and after, read at one moment, because the site recovers at once."""
        with self.keys() as client, client.pipeline(transaction=True) as moment:
            before, _, after = moment.dbsize().flushall().dbsize().execute()
            return before, after
