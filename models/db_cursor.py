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


async def execute(cursor: aiopg.Cursor, sql: str, values: dict[str, object] | None = None) -> None:
    """Raises UniqueViolation, NoTables, Unavailable, and what the driver raises when the server is away."""
    limit = asyncio.get_running_loop().call_later(STATEMENT_SECONDS, _give_up, cursor.connection)
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


def _give_up(connection: aiopg.Connection) -> None:
    """Its time is over. When it was this process that stood still, the answer may be here already: the loop
    reads once more before anything is given up.
    """
    asyncio.get_running_loop().call_later(READ_SECONDS, _close_if_waiting, connection)


def _close_if_waiting(connection: aiopg.Connection) -> None:
    if not connection.closed and connection.isexecuting():
        connection.close()


async def rows_of(cursor: aiopg.Cursor) -> list[dict[str, Any]]:
    if cursor.description is None:
        return []
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
