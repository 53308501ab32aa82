"""The pool of PostgreSQL connections, and transactions on it.

Statements are in `models.postgres.statements`. Every statement has a time limit of two seconds; if the
database is down, too slow or empty, the error is `Unavailable` (503), never a traceback. A statement that had
no effect, because its connection was dead, a table had changed under its plan, or another transaction held a
lock, runs once more. Instants are returned as aware UTC datetimes, ids as lower-case text.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg2
from psycopg2 import errorcodes

from models.errors import Contended, Unavailable
from models.postgres.pool import AWAY, Pool, PoolConnection
from models.postgres.statements import RunningStatements, Statement, Statements, UniqueViolation

__all__ = ["Db", "Statements", "Transaction", "UniqueViolation"]
Answer = TypeVar("Answer")
# A failure before this was not a timeout.
SOON_SECONDS = 1.0
PATIENCE_SECONDS = 6.0
PAUSE_SECONDS = 0.1


class _MayRepeat(Exception):
    """The statement had no effect; it may be repeated on another connection."""


def _again(is_final: bool) -> Exception:
    return Unavailable() if is_final else _MayRepeat()


def _had_no_effect(statement: Statement, error: Exception) -> bool:
    """True if the statement only reads, or if the server reported the end of the session instead of running
    it.
    """
    cause = error.__cause__
    return statement.is_read or getattr(cause, "pgcode", None) == errorcodes.ADMIN_SHUTDOWN


class Transaction:
    """A connection inside `begin … commit`; given to statements as `on=`."""

    def __init__(self, link: PoolConnection) -> None:
        self.link = link


class Db:
    """The database. Call `open` once per process and `close` at the end."""

    def __init__(self, pool: Pool) -> None:
        self._pool, self._now = pool, asyncio.get_running_loop().time
        self._running = RunningStatements()
        self.statements_run = 0

    @classmethod
    async def open(cls, database_url: str, *, size: int = 10) -> Db:
        """Raises: Unavailable, if the server cannot be reached within two seconds."""
        pool = Pool(database_url, size)
        pool.give(await pool.take())
        return cls(pool)

    def when_full(self, report: Callable[[], object]) -> None:
        """`report` is called whenever a statement fails because the server's disk is full."""
        self._running.when_full = report

    def statements(self, noun: str) -> Statements[Transaction]:
        return Statements(self, noun)

    def fetch(
        self, statement: Statement, values: dict[str, object], on: Transaction | None = None
    ) -> Awaitable[list[dict[str, Any]]]:
        """The rows of one statement, which is its own transaction unless `on` is given."""
        if on is None:
            return self._alone(statement, values, PoolConnection.rows)
        return self._inside(on, statement, values, PoolConnection.rows)

    def touch(
        self, statement: Statement, values: dict[str, object], on: Transaction | None = None
    ) -> Awaitable[int]:
        """The number of rows a statement affected."""
        if on is None:
            return self._alone(statement, values, PoolConnection.count)
        return self._inside(on, statement, values, PoolConnection.count)

    async def _inside(
        self,
        on: Transaction,
        statement: Statement,
        values: dict[str, object],
        read: Callable[[PoolConnection], Answer],
    ) -> Answer:
        await self._ask(on.link, statement, values)
        return read(on.link)

    async def _alone(
        self, statement: Statement, values: dict[str, object], read: Callable[[PoolConnection], Answer]
    ) -> Answer:
        """Runs the statement, and once more if it had no effect. Inlined, because each layer costs two calls
        of every statement.
        """
        self.statements_run += 1
        is_repeated = False
        while True:
            link, asked_at = await self._pool.take(), self._now()
            try:
                await self._ask(link, statement, values)
                return read(link)
            except AWAY as error:
                self._pool.lost(error)
                is_final = is_repeated or not _had_no_effect(statement, error)
                if is_final or self._now() - asked_at > SOON_SECONDS:
                    raise Unavailable from error
            except Contended:
                # Repeated even if it took long: the holder of the row may have finished.
                if is_repeated:
                    raise
            finally:
                self._pool.give(link)
            is_repeated = True

    def _ask(self, link: PoolConnection, statement: Statement, values: dict[str, object]) -> Awaitable[None]:
        if statement.is_prepared:
            return self._ask_prepared(link, statement, values)
        return self._running.execute(link, statement.text, values)

    async def _ask_prepared(
        self, link: PoolConnection, statement: Statement, values: dict[str, object]
    ) -> None:
        if statement.name not in link.prepared:
            await self._running.execute(link, statement.prepare)
            link.prepared.add(statement.name)
        try:
            await self._running.execute(link, statement.execute, values)
        except psycopg2.NotSupportedError as error:
            # A newer process has migrated a table under its plan. All connections must plan again.
            link.close()
            self._pool.replace()
            raise Contended from error

    @asynccontextmanager
    async def link(self) -> AsyncIterator[PoolConnection]:
        """A connection for exclusive use. Raises: Unavailable, if none is free or it was lost."""
        self.statements_run += 1
        async with self._held(await self._pool.take()) as link:
            yield link

    @asynccontextmanager
    async def _held(self, link: PoolConnection) -> AsyncIterator[PoolConnection]:
        try:
            yield link
        except AWAY as error:
            self._pool.lost(error)
            raise Unavailable from error
        finally:
            self._pool.give(link)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits at the end of the block, rolls back if it raises."""
        self.statements_run += 1
        async with self._held(await self._begun()) as link:
            try:
                yield Transaction(link)
            except BaseException:
                if not link.connection.closed:
                    await asyncio.shield(self._roll_back(link))
                raise
            await self._running.execute(link, "commit")

    async def transact(self, work: Callable[[Transaction], Awaitable[Answer]]) -> Answer:
        """What `work` returns, committed. `work` is repeated for six seconds while others hold what it needs.

        For work that must succeed under contention. `work` must not change anything outside of the
        transaction. Raises: Contended, after six seconds.
        """
        deadline = self._now() + PATIENCE_SECONDS
        while True:
            try:
                async with self.transaction() as on:
                    return await work(on)
            except Contended:
                if self._now() > deadline:
                    raise
            # Jitter: out of step with the others that want the same.
            await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))

    async def _begun(self) -> PoolConnection:
        """A connection in a transaction. A dead connection is replaced once."""
        try:
            return await self._begin()
        except _MayRepeat:
            return await self._begin(is_repeated=True)

    async def _begin(self, *, is_repeated: bool = False) -> PoolConnection:
        link, began_at = await self._pool.take(), self._now()
        try:
            await self._running.execute(link, "begin")
        except BaseException as error:
            if isinstance(error, AWAY):
                self._pool.lost(error)
            self._pool.give(link)
            if isinstance(error, AWAY):
                raise _again(is_repeated or self._now() - began_at > SOON_SECONDS) from error
            raise
        return link

    async def _roll_back(self, link: PoolConnection) -> None:
        try:
            await self._running.execute(link, "rollback")
        except AWAY:
            link.connection.close()

    async def close(self) -> None:
        """Waits at most two seconds for running statements."""
        await self._pool.close()
