"""A pool of at most `size` PostgreSQL connections, each with one cursor that stays open.

If all are taken, `take` waits at most two seconds for one, and fails at once if the server is lost in that
time. Every connection that was taken is given back with `give`. A connection that the server has closed, that
was idle for a minute, or that is older than the last outage is not reused.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import Any

import psycopg2
from psycopg2 import extensions

from models.errors import Unavailable
from models.postgres.async_connection import AsyncConnection, connect, read_url

logger = logging.getLogger(__name__)
STATEMENT_SECONDS = 2.0
# How long a connection may stay idle. Firewalls, NAT and poolers drop idle ones, often silently.
IDLE_SECONDS = 60.0
IDLE = extensions.TRANSACTION_STATUS_IDLE
# Raised for a lost, hung or restarting server; everything else is a bug and is not hidden.
AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError, asyncio.TimeoutError, OSError)


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
        raw = self.connection.raw
        return not raw.closed and raw.get_transaction_status() == IDLE

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


class Pool:
    def __init__(self, database_url: str, size: int) -> None:
        """Raises: psycopg2.ProgrammingError, if libpq cannot parse the URL."""
        self._parameters, self._size = read_url(database_url), size
        self._now = asyncio.get_running_loop().time
        # Open or being opened: both idle and taken.
        self._count = 0
        self._idle: list[PoolConnection] = []
        self._waiting: deque[asyncio.Future[PoolConnection | None]] = deque()
        self._is_closed = False
        self._generation = 0

    @property
    def is_taken(self) -> bool:
        return not self._idle and self._count >= self._size

    async def take(self) -> PoolConnection:
        """Raises Unavailable."""
        return self._take_idle() or await self._take_other()

    def _take_idle(self) -> PoolConnection | None:
        now = self._now()
        while self._idle:
            link = self._idle.pop()
            if link.is_fresh(now):
                return link
            self._drop(link)
        return None

    async def _take_other(self) -> PoolConnection:
        """A new connection; or, if the pool is full, the next one that is given back."""
        deadline = self._now() + STATEMENT_SECONDS
        has_waited = has_failed = False
        while not self._is_closed:
            if self._count < self._size and not has_failed:
                try:
                    return await self._connect(deadline, has_waited=has_waited)
                except Unavailable:
                    if not self._count:
                        raise
                    has_failed = True  # The server may allow fewer connections; others are open.
                if link := self._take_idle():  # A connection was given back while this one was tried.
                    return link
            try:
                async with asyncio.timeout_at(deadline):
                    given = await self._wait()
            except TimeoutError as error:
                raise Unavailable from error
            if given is not None:
                return given
            has_waited, has_failed = True, False
        # `close` waits for connections that are given back.
        self._hand_on(None)
        raise Unavailable

    def give(self, link: PoolConnection) -> None:
        """Takes a connection back. A closed one, or one in the middle of a statement, is not reused."""
        if self._is_closed or link.generation < self._generation or not link.is_usable:
            self._drop(link)
            self._hand_on(None)
        elif not (self._waiting and self._hand_on(link)):
            link.used_at = self._now()
            self._idle.append(link)
            self._drop_idle(link.used_at)

    def _drop(self, link: PoolConnection) -> None:
        link.close()
        self._count -= 1

    def _drop_idle(self, now: float) -> None:
        """Closes connections that were idle for too long. The last one given back is the next one taken, so
        the first in the list has been idle longest.
        """
        while now - self._idle[0].used_at >= IDLE_SECONDS:
            self._drop(self._idle.pop(0))

    def lost(self, error: Exception) -> None:
        """Marks all connections as dead after one was lost: new ones are opened instead of failing one by
        one.
        """
        logger.warning("a connection to the database was lost: %s", _first_line(error))
        self.replace()

    def _not_reached(self, error: BaseException) -> None:
        """Fails the waiting callers too, unless a connection that is open may still be given back."""
        logger.warning("the database cannot be reached: %s", _first_line(error))
        if self._count:
            return
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.done():
                one.set_exception(Unavailable())

    def replace(self) -> None:
        """Makes sure that no connection that is open now is used for another statement."""
        self._generation += 1
        while self._idle:
            self._drop(self._idle.pop())

    async def close(self) -> None:
        """Waits at most two seconds for running statements; from now on no connection is available."""
        self._is_closed = True
        self.replace()
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(STATEMENT_SECONDS):
                while self._count:
                    await self._wait()

    async def _connect(self, deadline: float, *, has_waited: bool) -> PoolConnection:
        self._count += 1
        try:
            generation = self._generation
            async with asyncio.timeout_at(deadline):
                return PoolConnection(await connect(self._parameters), generation)
        except BaseException as error:
            self._count -= 1
            if isinstance(error, TimeoutError) and has_waited:
                # The caller's own time was short: that says nothing about the server.
                self._hand_on(None)
            elif isinstance(error, AWAY):
                self._not_reached(error)
            else:
                self._hand_on(None)
                raise
            raise Unavailable from error

    async def _wait(self) -> PoolConnection | None:
        """A connection that was given back, or None if a new one may be opened instead."""
        one: asyncio.Future[PoolConnection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(one)
        try:
            return await one
        except BaseException:
            if one.done() and not one.cancelled() and one.exception() is None:
                # The connection arrived in the moment in which this task was cancelled.
                self._pass_back(one.result())
            raise

    def _pass_back(self, link: PoolConnection | None) -> None:
        if link is None:
            self._hand_on(None)
        else:
            self.give(link)

    def _hand_on(self, link: PoolConnection | None) -> bool:
        """Hands the connection to the caller that has waited longest. False if no caller waits."""
        while self._waiting:
            one = self._waiting.popleft()
            if not one.done():
                one.set_result(link)
                return True
        return False


def _first_line(error: BaseException) -> str:
    """libpq's own message. The lines after it may contain a statement, and so users' data."""
    return next(iter(str(error).splitlines()), type(error).__name__)
