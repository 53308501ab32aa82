"""One connection and the statement on it: its time limit, its errors in our words, its rows.

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


class Link:
    """One connection, the cursor that stays open on it, and the prepared statements that it knows."""

    def __init__(self, cursor: aiopg.Cursor) -> None:
        self.cursor = cursor
        self.connection = cursor.connection
        self.prepared: set[str] = set()

    @property
    def is_usable(self) -> bool:
        """Open, and not left in the middle of something."""
        if self.connection.closed or self.cursor.closed:
            return False
        return bool(self.connection.raw.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE)

    def close(self) -> None:
        self.cursor.close()
        self.connection.close()

    def rows(self) -> list[dict[str, Any]]:
        """Of the driver's own cursor: the answer is here, nothing has to be waited for."""
        raw = self.cursor.raw
        if raw.description is None:
            return []
        names = [column[0] for column in raw.description]
        return [dict(zip(names, row, strict=True)) for row in raw.fetchall()]

    def count(self) -> int:
        """How many rows the statement touched."""
        return int(self.cursor.raw.rowcount)


class UnderWay:
    """The statements that wait for their answer, and since when: one timer for all of them. A statement whose
    time is over loses its connection after the loop has read once more: if it was this process that stood
    still, the answer is here already.
    """

    def __init__(self) -> None:
        self._since: dict[Link, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def execute(self, link: Link, sql: str, values: dict[str, object] | None = None) -> None:
        """Raises UniqueViolation, NoTables, Unavailable, and the driver's errors when the server is away."""
        loop = asyncio.get_running_loop()
        self._since[link] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(STATEMENT_SECONDS, self._look)
        try:
            await link.cursor.execute(sql, values)
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
            if self._since.get(link) == since and not link.connection.closed:
                link.connection.close()
