"""The connections to PostgreSQL of one process: at most `size`, each with one cursor that stays open.

If all are taken, `take` waits for one, at most two seconds, and fails at once when the server is lost in
that time. They leave in `take` and come back in `give`, whatever happened. A connection that the server has
closed, that was idle for a minute, or that is older than the last outage is not used again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque

import psycopg2

from models.errors import Unavailable
from models.postgres.async_connection import connect, read_url
from models.postgres.connection import IDLE_SECONDS, STATEMENT_SECONDS, Link

logger = logging.getLogger(__name__)
# What a lost, hung or restarting server raises; everything else is our own fault and stays loud.
AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError, asyncio.TimeoutError, OSError)


class Pool:
    def __init__(self, database_url: str, size: int) -> None:
        """Raises psycopg2.ProgrammingError for a URL that libpq refuses."""
        self._parameters, self._size = read_url(database_url), size
        # Open, or being opened: idle ones and those that are out.
        self._count = 0
        self._idle: list[Link] = []
        self._waiting: deque[asyncio.Future[Link | None]] = deque()
        self._is_closed = False
        self._generation = 0

    @property
    def is_taken(self) -> bool:
        return not self._idle and self._count >= self._size

    async def take(self) -> Link:
        """Raises Unavailable."""
        return self._take_idle() or await self._take_other()

    def _take_idle(self) -> Link | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            link = self._idle.pop()
            if link.is_fresh(now):
                return link
            self._drop(link)
        return None

    async def _take_other(self) -> Link:
        """A new connection; or, when there may be no more of them, one that comes back."""
        deadline = asyncio.get_running_loop().time() + STATEMENT_SECONDS
        has_waited = has_failed = False
        while not self._is_closed:
            if self._count < self._size and not has_failed:
                try:
                    return await self._connect(deadline, has_waited=has_waited)
                except Unavailable:
                    if not self._count:
                        raise
                    has_failed = True  # the server may allow fewer; others are open
                if link := self._take_idle():  # one that came back while this one was tried
                    return link
            try:
                async with asyncio.timeout_at(deadline):
                    given = await self._wait()
            except TimeoutError as error:
                raise Unavailable from error
            if given is not None:
                return given
            has_waited, has_failed = True, False
        # That something came back is for `close` to hear.
        self._hand_on(None)
        raise Unavailable

    def give(self, link: Link) -> None:
        """A connection that is closed, or was left in the middle of something, is not used again."""
        if self._is_closed or link.generation < self._generation or not link.is_usable:
            self._drop(link)
            self._hand_on(None)
        elif not self._hand_on(link):
            link.used_at = asyncio.get_running_loop().time()
            self._idle.append(link)
            self._drop_idle(link.used_at)

    def _drop(self, link: Link) -> None:
        link.close()
        self._count -= 1

    def _drop_idle(self, now: float) -> None:
        """The last one given back is the next one taken, so the first in the list is idle for longest."""
        while now - self._idle[0].used_at >= IDLE_SECONDS:
            self._drop(self._idle.pop(0))

    def lost(self, error: Exception) -> None:
        """After a lost connection the others are most likely dead too: new ones are opened instead of
        failing one by one.
        """
        logger.warning("a connection to the database was lost: %s", _first_line(error))
        self.replace()

    def _not_reached(self, error: BaseException) -> None:
        """What waits for a connection fails too, unless one that is open may come back."""
        logger.warning("the database cannot be reached: %s", _first_line(error))
        if self._count:
            return
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.done():
                one.set_exception(Unavailable())

    def replace(self) -> None:
        """No connection that is open now is used for another statement."""
        self._generation += 1
        while self._idle:
            self._drop(self._idle.pop())

    async def close(self) -> None:
        """Waits at most two seconds for statements under way; from now on there is nothing to be had."""
        self._is_closed = True
        self.replace()
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(STATEMENT_SECONDS):
                while self._count:
                    await self._wait()

    async def _connect(self, deadline: float, *, has_waited: bool) -> Link:
        self._count += 1
        try:
            generation = self._generation
            async with asyncio.timeout_at(deadline):
                return Link(await connect(self._parameters), generation)
        except BaseException as error:
            self._count -= 1
            if isinstance(error, TimeoutError) and has_waited:
                # Its own time was short: that says nothing of the server.
                self._hand_on(None)
            elif isinstance(error, AWAY):
                self._not_reached(error)
            else:
                self._hand_on(None)
                raise
            raise Unavailable from error

    async def _wait(self) -> Link | None:
        """A connection that somebody gave back, or None when a new connection may be opened instead."""
        one: asyncio.Future[Link | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(one)
        try:
            return await one
        except BaseException:
            if one.done() and not one.cancelled() and one.exception() is None:
                # It came in the moment in which we were cancelled.
                self._pass_back(one.result())
            raise

    def _pass_back(self, link: Link | None) -> None:
        if link is None:
            self._hand_on(None)
        else:
            self.give(link)

    def _hand_on(self, link: Link | None) -> bool:
        """To who waits longest. False when nobody does."""
        while self._waiting:
            one = self._waiting.popleft()
            if not one.done():
                one.set_result(link)
                return True
        return False


def _first_line(error: BaseException) -> str:
    """libpq's own words. What follows them may hold a statement, and so people's data."""
    return next(iter(str(error).splitlines()), type(error).__name__)
