"""A connection of the pool and the statement on it: its time limit, its errors in our words, its rows.

A part of `models.postgres.database`. A statement without an answer after two seconds loses its connection,
and so does one whose caller is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import psycopg2
from psycopg2 import errorcodes, extensions

from models.errors import Contended, NoTables, Unavailable
from models.postgres.async_connection import Connection

logger = logging.getLogger(__name__)
STATEMENT_SECONDS = 2.0
READ_SECONDS = 0.05
# How long a connection may stay unused. Firewalls, NAT and poolers close idle ones, often without a word.
IDLE_SECONDS = 60.0
# Another transaction had the row, or this one would have waited for itself: nothing has been written.
CONTENTION = (
    errorcodes.LOCK_NOT_AVAILABLE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.SERIALIZATION_FAILURE,
)


class UniqueViolation(Exception):
    """A constraint said no: `constraint` is its name."""

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__(constraint)


class Link:
    """One connection, and the prepared statements that it knows."""

    def __init__(self, connection: Connection, generation: int) -> None:
        self.connection, self.generation = connection, generation
        self.cursor = connection.cursor
        self.execute = connection.execute
        self.prepared: set[str] = set()
        self.used_at = asyncio.get_running_loop().time()

    @property
    def is_usable(self) -> bool:
        """Open, and not left in the middle of something."""
        if self.connection.closed:
            return False
        return bool(self.connection.raw.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE)

    def is_fresh(self, now: float) -> bool:
        """Used lately, and not closed by the server meanwhile."""
        return now - self.used_at < IDLE_SECONDS and self.connection.is_alive()

    def close(self) -> None:
        self.connection.close()

    def rows(self) -> list[dict[str, Any]]:
        if self.cursor.description is None:
            return []
        names = [column[0] for column in self.cursor.description]
        return [dict(zip(names, row, strict=True)) for row in self.cursor.fetchall()]

    def count(self) -> int:
        """How many rows the statement touched."""
        return int(self.cursor.rowcount)


class UnderWay:
    """The statements that wait for their answer, and since when: one timer for all of them. A statement whose
    time is over loses its connection after the loop has read once more: if it was this process that stood
    still, the answer is here already.
    """

    def __init__(self) -> None:
        self._since: dict[Link, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def execute(self, link: Link, sql: str, values: dict[str, object] | None = None) -> None:
        """Raises UniqueViolation, NoTables, Contended, Unavailable (too slow), and the driver's errors if the
        server is away.
        """
        loop = asyncio.get_running_loop()
        self._since[link] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(STATEMENT_SECONDS, self._look)
        try:
            await link.execute(sql, values)
        except psycopg2.Error as error:
            raise _in_our_words(error, is_lost=link.connection.closed) from error
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

    def _give_up(self, late: dict[Link, float]) -> None:
        for link, since in late.items():
            # By now it may have another statement, which has its own time.
            if self._since.get(link) == since:
                link.close()


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
    # Whatever the driver calls it: a session that was ended, or a server that has become a standby.
    if is_lost or error.pgcode == errorcodes.READ_ONLY_SQL_TRANSACTION:
        return ConnectionError(str(error))
    return cast(Exception, error)
