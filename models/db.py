"""The one door to PostgreSQL: a pool, and transactions on it. What is asked stands in `models.statements`.

Every statement has a time limit of two seconds; a database that is away, too slow or empty is `Unavailable`
(503), never a traceback. Instants come back as aware UTC datetimes, ids as lower-case text.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import aiopg
import psycopg2
from psycopg2 import extensions

from models.db_cursor import STATEMENT_SECONDS, UniqueViolation, execute, rows_of
from models.errors import Unavailable
from models.statements import Statement, Statements

__all__ = ["Db", "Statements", "Transaction", "UniqueViolation"]
logger = logging.getLogger(__name__)
OPTIONS = "-c statement_timeout=2000 -c timezone=UTC -c idle_in_transaction_session_timeout=5000 -c jit=off"
# What a lost, hung or restarting server raises; everything else is our own fault and stays loud.
AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError, asyncio.TimeoutError, OSError)


class Transaction:
    """One connection inside `begin … commit`; given to statements as `on=`."""

    def __init__(self, cursor: aiopg.Cursor) -> None:
        self.cursor = cursor


class Db:
    """The pool. `open` once per process, `close` at the end.

    Cursors are kept open with their connection: a statement then costs one wait for the server and nothing
    else.
    """

    def __init__(self, pool: aiopg.Pool, size: int) -> None:
        self._pool = pool
        self._size = size
        self._slots = asyncio.Semaphore(size)
        self._idle: list[aiopg.Cursor] = []
        self._times_lost = 0
        # Which prepared statements each connection knows.
        self._prepared: WeakKeyDictionary[aiopg.Connection, set[str]] = WeakKeyDictionary()
        self.statements_run = 0

    @classmethod
    async def open(cls, database_url: str, *, size: int = 10) -> Db:
        """Raises `Unavailable` when the server cannot be reached within two seconds."""
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                pool = await aiopg.create_pool(
                    database_url,
                    minsize=1,
                    maxsize=size,
                    # Its own limit costs as much as a statement: `_take` and `execute` have cheaper ones.
                    timeout=None,  # type: ignore[arg-type]
                    enable_hstore=False,
                    enable_json=True,
                    enable_uuid=False,
                    options=OPTIONS,
                    connect_timeout=2,
                )
        except AWAY as error:
            raise Unavailable("The database cannot be reached.") from error
        return cls(pool, size)

    def statements(self, noun: str) -> Statements[Transaction]:
        return Statements(self, noun)

    async def fetch(
        self, statement: Statement, values: dict[str, object], on: Transaction | None = None
    ) -> list[dict[str, Any]]:
        """The rows of one statement, its own transaction unless it is part of one."""
        if on is not None:
            await self._ask(on.cursor, statement, values)
            return await rows_of(on.cursor)
        async with self.cursor() as cursor:
            await self._ask(cursor, statement, values)
            return await rows_of(cursor)

    async def touch(
        self, statement: Statement, values: dict[str, object], on: Transaction | None = None
    ) -> int:
        """How many rows one statement touched."""
        if on is not None:
            await self._ask(on.cursor, statement, values)
            return int(on.cursor.rowcount)
        async with self.cursor() as cursor:
            await self._ask(cursor, statement, values)
            return int(cursor.rowcount)

    async def _ask(self, cursor: aiopg.Cursor, statement: Statement, values: dict[str, object]) -> None:
        if not statement.is_prepared:
            await execute(cursor, statement.text, values)
            return
        prepared = self._prepared.setdefault(cursor.connection, set())
        if statement.name not in prepared:
            await execute(cursor, statement.prepare)
            prepared.add(statement.name)
        try:
            await execute(cursor, statement.execute, values)
        except psycopg2.NotSupportedError as error:
            # A table has changed under its plan: a newer process has migrated. All plans are made anew.
            cursor.connection.close()
            self._close_idle()
            raise Unavailable from error

    @asynccontextmanager
    async def cursor(self) -> AsyncIterator[aiopg.Cursor]:
        """A cursor on a connection of its own. Raises `Unavailable`: none to be had, or lost."""
        self.statements_run += 1
        cursor = await self._take()
        try:
            yield cursor
        except AWAY as error:
            await self._forget_idle(error)
            raise Unavailable from error
        finally:
            self._give(cursor)

    async def _take(self) -> aiopg.Cursor:
        try:
            if self._slots.locked():
                await self._wait_for_slot()
            else:
                await self._slots.acquire()
        except TimeoutError as error:
            raise Unavailable from error
        if self._idle:
            return self._idle.pop()
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                connection = await self._pool.acquire()
            return await connection.cursor()
        except BaseException as error:
            self._times_lost += isinstance(error, AWAY)
            self._slots.release()
            if isinstance(error, AWAY):
                raise Unavailable from error
            raise

    async def _wait_for_slot(self) -> None:
        """Fails at once with those who have one, when the server is away: nobody waits twice."""
        lost = self._times_lost
        async with asyncio.timeout(STATEMENT_SECONDS):
            await self._slots.acquire()
        if self._times_lost != lost:
            self._slots.release()
            raise TimeoutError

    def _give(self, cursor: aiopg.Cursor) -> None:
        """A connection that is closed, or was left in the middle of something, is not used again."""
        self._slots.release()
        connection = cursor.connection
        status = None if connection.closed else connection.raw.get_transaction_status()
        if status == extensions.TRANSACTION_STATUS_IDLE and not cursor.closed:
            self._idle.append(cursor)
            return
        connection.close()
        self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All or nothing: commits at the end of the block, rolls back when it raises."""
        async with self.cursor() as cursor:
            await execute(cursor, "begin")
            try:
                yield Transaction(cursor)
            except BaseException:
                if not cursor.closed and not cursor.connection.closed:
                    await asyncio.shield(_rollback(cursor))
                raise
            await execute(cursor, "commit")

    async def close(self) -> None:
        """Waits at most two seconds for statements under way."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STATEMENT_SECONDS):
                for _ in range(self._size):
                    await self._slots.acquire()
        self._close_idle()
        self._pool.terminate()
        await self._pool.wait_closed()

    def _close_idle(self) -> None:
        idle, self._idle = self._idle, []
        for cursor in idle:
            cursor.close()
            cursor.connection.close()
            self._pool.release(cursor.connection)

    async def _forget_idle(self, error: Exception) -> None:
        """After a lost connection the idle ones are most likely dead too: open new ones instead of failing
        one by one.
        """
        logger.warning("database away: %s", type(error).__name__)
        self._times_lost += not isinstance(error, extensions.QueryCanceledError)
        self._close_idle()
        await self._pool.clear()


async def _rollback(cursor: aiopg.Cursor) -> None:
    try:
        await execute(cursor, "rollback")
    except AWAY:
        cursor.connection.close()
