"""One statement on one cursor: its time limit, its errors in our words, its rows.

A part of `models.db`. A statement that has no answer after two seconds loses its connection. So does one
whose asker is cancelled (aiopg sees to that), so that no half-read answer is ever left on one.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiopg
import psycopg2
from psycopg2 import errorcodes, extensions

from models.errors import NoTables, Unavailable

logger = logging.getLogger(__name__)
STATEMENT_SECONDS = 2.0
READ_SECONDS = 0.05


class UniqueViolation(Exception):
    """A constraint said no: `constraint` is its name."""

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__(constraint)


class Limit:
    """The time of one statement. When it is over, the loop reads once more before the connection is closed:
    if it was this process that stood still, the answer is here already.
    """

    def __init__(self, connection: aiopg.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(STATEMENT_SECONDS, self._read_once_more)

    def _read_once_more(self) -> None:
        self._timer = self._loop.call_later(READ_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if not self._connection.closed and self._connection.isexecuting():
            self._connection.close()

    def cancel(self) -> None:
        """Also between the two: by then the connection may have another statement, which has its own time."""
        self._timer.cancel()


async def execute(cursor: aiopg.Cursor, sql: str, values: dict[str, object] | None = None) -> None:
    """Raises UniqueViolation, NoTables, Unavailable, and what the driver raises when the server is away."""
    limit = Limit(cursor.connection)
    try:
        await cursor.execute(sql, values)
    except psycopg2.IntegrityError as error:
        if error.pgcode in (errorcodes.UNIQUE_VIOLATION, errorcodes.CHECK_VIOLATION):
            raise UniqueViolation(error.diag.constraint_name or "") from error
        raise
    except psycopg2.ProgrammingError as error:
        if error.pgcode != errorcodes.UNDEFINED_TABLE:
            raise
        logger.warning("a table is missing: %s", error.diag.message_primary)
        raise NoTables from error
    except asyncio.CancelledError as cancelled:
        # aiopg tells of a statement that the server cancelled as if its caller had been cancelled.
        if isinstance(cancelled.__context__, extensions.QueryCanceledError):
            raise Unavailable from cancelled.__context__
        raise
    finally:
        limit.cancel()


async def rows_of(cursor: aiopg.Cursor) -> list[dict[str, Any]]:
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
