"""The one door to PostgreSQL: a pool, and transactions on it. What is asked stands in `models.statements`.

Every statement has a time limit of two seconds; a database that is away, too slow or empty is `Unavailable`
(503), never a traceback. Instants come back as aware UTC datetimes, ids as lower-case text.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg2

from models.db_link import Link, UnderWay, UniqueViolation
from models.db_pool import AWAY, Pool
from models.errors import Unavailable
from models.statements import Statement, Statements

__all__ = ["Db", "Statements", "Transaction", "UniqueViolation"]
Answer = TypeVar("Answer")


class Transaction:
    """One connection inside `begin … commit`; given to statements as `on=`."""

    def __init__(self, link: Link) -> None:
        self.link = link


class Db:
    """`open` once per process, `close` at the end."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._under_way = UnderWay()
        self.statements_run = 0

    @classmethod
    async def open(cls, database_url: str, *, size: int = 10) -> Db:
        """Raises `Unavailable` when the server cannot be reached within two seconds."""
        pool = Pool(database_url, size)
        pool.give(await pool.take())
        return cls(pool)

    def statements(self, noun: str) -> Statements[Transaction]:
        return Statements(self, noun)

    async def fetch(
        self, statement: Statement, values: dict[str, object], on: Transaction | None = None
    ) -> list[dict[str, Any]]:
        """The rows of one statement, its own transaction unless it is part of one."""
        return await self._answer(statement, values, on, Link.rows)

    async def touch(
        self, statement: Statement, values: dict[str, object], on: Transaction | None = None
    ) -> int:
        """How many rows one statement touched."""
        return await self._answer(statement, values, on, Link.count)

    async def _answer(
        self,
        statement: Statement,
        values: dict[str, object],
        on: Transaction | None,
        read: Callable[[Link], Answer],
    ) -> Answer:
        if on is not None:
            await self._ask(on.link, statement, values)
            return read(on.link)
        # As `link` does; a context manager of its own would cost more than the rest of it.
        self.statements_run += 1
        link = await self._pool.take()
        try:
            await self._ask(link, statement, values)
            return read(link)
        except AWAY as error:
            self._pool.lost(error)
            raise Unavailable from error
        finally:
            self._pool.give(link)

    async def _ask(self, link: Link, statement: Statement, values: dict[str, object]) -> None:
        if not statement.is_prepared:
            await self._under_way.execute(link, statement.text, values)
            return
        if statement.name not in link.prepared:
            await self._under_way.execute(link, statement.prepare)
            link.prepared.add(statement.name)
        try:
            await self._under_way.execute(link, statement.execute, values)
        except psycopg2.NotSupportedError as error:
            # A table has changed under its plan: a newer process has migrated. All plans are made anew.
            link.connection.close()
            self._pool.close_idle()
            raise Unavailable from error

    @asynccontextmanager
    async def link(self) -> AsyncIterator[Link]:
        """A connection for oneself. Raises `Unavailable`: none to be had, or lost."""
        self.statements_run += 1
        link = await self._pool.take()
        try:
            yield link
        except AWAY as error:
            self._pool.lost(error)
            raise Unavailable from error
        finally:
            self._pool.give(link)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All or nothing: commits at the end of the block, rolls back when it raises."""
        async with self.link() as link:
            await self._under_way.execute(link, "begin")
            try:
                yield Transaction(link)
            except BaseException:
                if not link.cursor.closed and not link.connection.closed:
                    await asyncio.shield(self._roll_back(link))
                raise
            await self._under_way.execute(link, "commit")

    async def _roll_back(self, link: Link) -> None:
        try:
            await self._under_way.execute(link, "rollback")
        except AWAY:
            link.connection.close()

    async def close(self) -> None:
        """Waits at most two seconds for statements under way."""
        await self._pool.close()
