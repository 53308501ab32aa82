"""One connection to PostgreSQL, driven by the event loop through psycopg2's documented asynchronous `poll`.

The event loop never knows libpq's own descriptor, only duplicates of it: docs/decisions/libpq-descriptors.md.
A part of `models.db`.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2 import extensions, extras

# The settings of a session. As a statement, not as libpq's `options`: those may stand in DATABASE_URL.
GREETING = (
    "set statement_timeout = 2000; set lock_timeout = 1200; set idle_in_transaction_session_timeout = 5000; "
    "set timezone = 'UTC'; set jit = off"
)
BROKEN = select.POLLERR | select.POLLHUP
# Firewalls and NAT forget connections that are silent for some minutes. What DATABASE_URL says comes first.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3}


def read_url(database_url: str) -> dict[str, Any]:
    """libpq's parameters. Raises psycopg2.ProgrammingError for a URL that libpq refuses."""
    return KEEPALIVES | dict(extensions.parse_dsn(database_url))


async def connect(parameters: Mapping[str, Any]) -> Connection:
    """Raises psycopg2.Error, or OSError when a name of a host cannot be resolved."""
    raw = psycopg2.connect(async_=True, **await _with_addresses(parameters))
    try:
        while (state := raw.poll()) != extensions.POLL_OK:
            await _descriptor_ready(raw, state)
    except BaseException:
        raw.close()
        raise
    connection = Connection(raw)
    try:
        await connection.execute(GREETING)
    except BaseException:
        connection.close()
        raise
    return connection


async def _with_addresses(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """libpq resolves names in the calling thread, for as long as that takes; here it gets addresses.

    A host of several addresses is given several times, as libpq itself would try them.
    """
    named = parameters.get("host", "")
    if not named or parameters.get("hostaddr"):
        return dict(parameters)
    hosts = named.split(",")
    ports = str(parameters.get("port", "")).split(",")
    ports = ports if len(ports) == len(hosts) else ports * len(hosts)
    resolved = await asyncio.gather(*map(_addresses, hosts), return_exceptions=True)
    found = [
        (host, address, port)
        for host, addresses, port in zip(hosts, resolved, ports, strict=True)
        if not isinstance(addresses, BaseException)
        for address in addresses
    ]
    if not found:
        raise OSError(f"no address of {named} was found: {resolved[0]}")
    columns = map(",".join, zip(*found, strict=True))
    return dict(parameters) | dict(zip(("host", "hostaddr", "port"), columns, strict=True))


async def _addresses(host: str) -> list[str]:
    """Without doubles; one empty address for the directory of a Unix socket. Raises OSError."""
    if not host or host.startswith(("/", "@")):
        return [""]
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _descriptor_ready(raw: Any, state: int) -> None:
    """A duplicate for each step: while libpq connects, it may close its socket and open another."""
    loop = asyncio.get_running_loop()
    is_ready = loop.create_future()
    watch, leave = loop.add_reader, loop.remove_reader
    if state == extensions.POLL_WRITE:
        watch, leave = loop.add_writer, loop.remove_writer
    with socket.socket(fileno=os.dup(raw.fileno())) as copy:
        watch(copy, _finish, is_ready)
        try:
            await is_ready
        finally:
            leave(copy)


def _finish(future: asyncio.Future[None], error: Exception | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class Connection:
    """Established. One statement at a time; a statement that is cancelled loses its connection."""

    def __init__(self, raw: Any) -> None:
        extras.register_default_json(raw)
        self.raw = raw
        self.cursor = raw.cursor()
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[None] | None = None
        self._copy = socket.socket(fileno=os.dup(raw.fileno()))
        self._is_writing = False
        self._readable = select.poll()
        self._readable.register(self._copy, select.POLLIN)
        # All the time, so that a server that closes an idle connection is noticed at once.
        self._loop.add_reader(self._copy, self._ready)

    @property
    def closed(self) -> bool:
        return bool(self.raw.closed)

    def is_alive(self) -> bool:
        """The server has not closed an idle connection, as far as this machine knows."""
        if not self.closed and self._readable.poll(0):
            self._advance()  # a notice may wait there, or the end
            return not self.closed and not self._readable.poll(0)
        return not self.closed

    async def execute(self, sql: str, values: Any = None) -> None:
        """Raises psycopg2.Error. The rows are in `cursor`."""
        answer = self._answer = self._loop.create_future()
        try:
            self.cursor.execute(sql, values)
            self._advance()
            await answer
        except BaseException as error:
            self._answer = None
            if self.closed or not isinstance(error, psycopg2.Error):
                # Of a statement that was cancelled, the next one would read the answer.
                self.close()
            raise
        self._answer = None

    def _ready(self) -> None:
        """Called by the loop. uvloop does so once for a socket in error, and libpq may first read what came
        before the error, or only note that it cannot write.
        """
        while not self._advance() and any(events & BROKEN for _, events in self._readable.poll(0)):
            pass

    def _advance(self) -> bool:
        """libpq reads and writes what it can. True when nothing more is to come."""
        try:
            state = self.raw.poll()
        except Exception as error:
            if self.closed:
                self._let_go()
            self._end(error)
            return True
        if self._is_writing is not (state == extensions.POLL_WRITE):
            self._watch_writing(is_writing=not self._is_writing)
        if state == extensions.POLL_OK:
            self._end(None)
        return bool(state == extensions.POLL_OK)

    def _watch_writing(self, *, is_writing: bool) -> None:
        if is_writing:
            self._loop.add_writer(self._copy, self._ready)
        else:
            self._loop.remove_writer(self._copy)
        self._is_writing = is_writing

    def _end(self, error: Exception | None) -> None:
        if self._answer is not None:
            _finish(self._answer, error)

    def _let_go(self) -> None:
        """The loop forgets the duplicate before it is closed."""
        if self._copy.fileno() >= 0:
            if not self._loop.is_closed():
                self._loop.remove_reader(self._copy)
                self._loop.remove_writer(self._copy)
            self._copy.close()

    def close(self) -> None:
        """What waits for an answer gets psycopg2.OperationalError."""
        self._let_go()
        self.raw.close()
        self._end(psycopg2.OperationalError("the connection was closed"))
