"""The connections to PostgreSQL of one process: at most `size`, each with one cursor that stays open.

aiopg's own pool opens a cursor for every statement and tidies up after it; here a statement costs one wait
for the server and nothing else. Who finds all of them taken waits for one, two seconds at most, and fails at
once when the server goes away meanwhile. They leave in `take` and come back in `give`, whatever happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque

import aiopg
import psycopg2

from models.db_link import STATEMENT_SECONDS, Link
from models.errors import Unavailable

logger = logging.getLogger(__name__)
OPTIONS = "-c statement_timeout=2000 -c timezone=UTC -c idle_in_transaction_session_timeout=5000 -c jit=off"
# What a lost, hung or restarting server raises; everything else is our own fault and stays loud.
AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError, asyncio.TimeoutError, OSError)


class Pool:
    def __init__(self, database_url: str, size: int) -> None:
        self._database_url, self._size = database_url, size
        # Open, or being opened: idle ones and those that are out.
        self._count = 0
        self._idle: list[Link] = []
        self._waiting: deque[asyncio.Future[Link | None]] = deque()
        self._is_closed = False

    @property
    def is_taken(self) -> bool:
        return not self._idle and self._count >= self._size

    async def take(self) -> Link:
        """Raises Unavailable."""
        if self._idle:
            return self._idle.pop()
        deadline = asyncio.get_running_loop().time() + STATEMENT_SECONDS
        has_waited = False
        while not self._is_closed:
            if self._count < self._size:
                return await self._connect(deadline, has_waited=has_waited)
            try:
                async with asyncio.timeout_at(deadline):
                    given = await self._wait()
            except TimeoutError as error:
                raise Unavailable from error
            if given is not None:
                return given
            has_waited = True
        # That something came back is for `close` to hear.
        self._hand_on(None)
        raise Unavailable

    def give(self, link: Link) -> None:
        """A connection that is closed, or was left in the middle of something, is not used again."""
        if self._is_closed or not link.is_usable:
            link.close()
            self._count -= 1
            self._hand_on(None)
        elif not self._hand_on(link):
            self._idle.append(link)

    def lost(self, error: Exception) -> None:
        """After a lost connection the idle ones are most likely dead too: new ones are opened instead of
        failing one by one. Nobody waits for what has just failed.
        """
        logger.warning("database away: %s", type(error).__name__)
        self.close_idle()
        waiting, self._waiting = self._waiting, deque()
        for one in waiting:
            if not one.done():
                one.set_exception(Unavailable())

    def close_idle(self) -> None:
        idle, self._idle = self._idle, []
        for link in idle:
            link.close()
        self._count -= len(idle)

    async def close(self) -> None:
        """Waits at most two seconds for statements under way; from now on there is nothing to be had."""
        self._is_closed = True
        self.close_idle()
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(STATEMENT_SECONDS):
                while self._count:
                    await self._wait()

    async def _connect(self, deadline: float, *, has_waited: bool) -> Link:
        self._count += 1
        try:
            async with asyncio.timeout_at(deadline):
                connection = await aiopg.connect(
                    self._database_url,
                    # Its own limit costs as much as a statement: there is a cheaper one in models.db_link.
                    timeout=None,  # type: ignore[arg-type]
                    enable_hstore=False,
                    enable_json=True,
                    enable_uuid=False,
                    options=OPTIONS,
                    connect_timeout=2,
                )
            return Link(await connection.cursor())
        except BaseException as error:
            self._count -= 1
            if isinstance(error, TimeoutError) and has_waited:
                # Its own time was short: that says nothing of the server.
                self._hand_on(None)
            elif isinstance(error, AWAY):
                # Who waits is not to try the same for as long once more.
                self.lost(error)
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
