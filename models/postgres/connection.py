"""A pooled connection and the statement on it: time limit, translated errors, rows.

Used only by `models.postgres.database`. If a statement has no answer after two seconds, or its caller is
cancelled, its connection is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import psycopg2
from psycopg2 import errorcodes, extensions

from models.errors import Contended, DiskFull, NoTables, Unavailable
from models.postgres.async_connection import AsyncConnection

logger = logging.getLogger(__name__)
STATEMENT_SECONDS = 2.0
READ_SECONDS = 0.05
# How long a connection may stay idle. Firewalls, NAT and poolers drop idle ones, often silently.
IDLE_SECONDS = 60.0
# Another transaction held the row, or there was a deadlock: nothing has been written.
CONTENTION = (
    errorcodes.LOCK_NOT_AVAILABLE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.SERIALIZATION_FAILURE,
)
# Memory, temporary files and other limits of the server: the connection still works.
SHORTAGES = (
    errorcodes.INSUFFICIENT_RESOURCES,
    errorcodes.OUT_OF_MEMORY,
    errorcodes.CONFIGURATION_LIMIT_EXCEEDED,
)


class UniqueViolation(Exception):
    """A unique constraint was violated: `constraint` is its name."""

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__(constraint)


class PoolConnection:
    """A connection and the prepared statements that it knows."""

    def __init__(self, connection: AsyncConnection, generation: int) -> None:
        self.connection, self.generation = connection, generation
        self.cursor = connection.cursor
        self.execute = connection.execute
        self.prepared: set[str] = set()
        self.used_at = asyncio.get_running_loop().time()

    @property
    def is_usable(self) -> bool:
        """Whether it is open and not in the middle of a statement or transaction."""
        if self.connection.closed:
            return False
        return bool(self.connection.raw.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE)

    def is_fresh(self, now: float) -> bool:
        """Whether it was used recently and the server has not closed it since."""
        return now - self.used_at < IDLE_SECONDS and self.connection.is_alive()

    def close(self) -> None:
        self.connection.close()

    def rows(self) -> list[dict[str, Any]]:
        if self.cursor.description is None:
            return []
        names = [column[0] for column in self.cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self.cursor.fetchall()]

    def count(self) -> int:
        """The number of rows the statement affected."""
        return int(self.cursor.rowcount)


class RunningStatements:
    """The running statements and when each began, with one timer for all of them. When a statement's time is
    over, its connection is closed after one more turn of the event loop: if this process itself was blocked,
    the answer has been read by then.
    """

    def __init__(self) -> None:
        self._since: dict[PoolConnection, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        # Called when a statement fails because the server's disk is full.
        self.when_full: Callable[[], object] = _nothing

    async def execute(self, link: PoolConnection, sql: str, values: dict[str, object] | None = None) -> None:
        """Raises: UniqueViolation, NoTables, Contended, DiskFull, Unavailable (too slow), and the driver's
        errors if the server is down.
        """
        loop = asyncio.get_running_loop()
        self._since[link] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(STATEMENT_SECONDS, self._look)
        try:
            await link.execute(sql, values)
        except psycopg2.Error as error:
            ours = _in_our_words(error, is_lost=link.connection.closed)
            if isinstance(ours, DiskFull):
                self.when_full()
            raise ours from error
        finally:
            self._since.pop(link, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        before = loop.time() - STATEMENT_SECONDS
        late = {link: since for link, since in self._since.items() if since <= before}
        if late:
            loop.call_later(READ_SECONDS, self._give_up, late)
        others = [since for since in self._since.values() if since > before]
        self._timer = loop.call_at(min(others) + STATEMENT_SECONDS, self._look) if others else None

    def _give_up(self, late: dict[PoolConnection, float]) -> None:
        for link, since in late.items():
            # By now the connection may run another statement, which has its own time limit.
            if self._since.get(link) == since:
                link.close()


def _nothing() -> None:
    """There is nothing to report to."""


def _in_our_words(error: Any, *, is_lost: bool) -> Exception:
    if error.pgcode in (errorcodes.UNIQUE_VIOLATION, errorcodes.CHECK_VIOLATION):
        return UniqueViolation(error.diag.constraint_name or "")
    if error.pgcode == errorcodes.UNDEFINED_TABLE:
        logger.warning("a table is missing: %s", error.diag.message_primary)
        return NoTables()
    if error.pgcode in CONTENTION:
        return Contended()
    if error.pgcode == errorcodes.QUERY_CANCELED:
        return Unavailable()
    if error.pgcode == errorcodes.DISK_FULL:
        return DiskFull("database")
    if error.pgcode in SHORTAGES:
        logger.warning("the database lacks a resource: %s", error.diag.message_primary)
        return Unavailable()
    # The driver's name for it varies: a session that was terminated, or a server that has become a standby.
    if is_lost or error.pgcode == errorcodes.READ_ONLY_SQL_TRANSACTION:
        return ConnectionError(str(error))
    return cast(Exception, error)
