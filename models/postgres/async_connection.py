"""One connection to PostgreSQL: aiopg on the event loop, isolated from libpq's own descriptor.

libpq closes and opens sockets at its own discretion; the event loop only ever watches a selector that this
module owns (docs/decisions/storage/libpq-descriptors.md). Used only by `models.postgres.database`.
"""

from __future__ import annotations

import asyncio
import select
import selectors
import socket
from collections.abc import Mapping
from typing import Any

import aiopg
import psycopg2
from psycopg2 import extensions

# Session settings are sent as a statement, because DATABASE_URL may contain libpq's `options`.
GREETING = (
    "set statement_timeout = 2000; set lock_timeout = 1200; set idle_in_transaction_session_timeout = 5000; "
    "set timezone = 'UTC'; set jit = off; set default_transaction_isolation = 'read committed'; "
    # Forms of values in which psycopg2 or our SQL would be read wrongly, without an error.
    "set intervalstyle = 'postgres'; set extra_float_digits = 1; set standard_conforming_strings = on"
)
# Firewalls and NAT drop connections that are idle for some minutes. Values in DATABASE_URL take precedence.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3}


POLL_OK, POLL_READ, POLL_WRITE = (
    int(state) for state in (extensions.POLL_OK, extensions.POLL_READ, extensions.POLL_WRITE)
)
READ = selectors.EVENT_READ


def read_url(database_url: str) -> dict[str, Any]:
    """libpq's parameters. Raises: psycopg2.ProgrammingError, if libpq cannot parse the URL."""
    return KEEPALIVES | dict(extensions.parse_dsn(database_url)) | {"client_encoding": "UTF8"}


# aiopg passes this to `wait_for`; `models.postgres.statements` limits the time of a statement.
NO_LIMIT: Any = None


async def connect(parameters: Mapping[str, Any]) -> AsyncConnection:
    """An established session. Raises: psycopg2.Error, or OSError if a host name cannot be resolved."""
    options = await _with_addresses(parameters)
    session: Any = await aiopg.connect(
        connection_factory=WatchedConnection,
        timeout=NO_LIMIT,
        enable_hstore=False,
        enable_uuid=False,
        **options,
    )
    try:
        session.raw.raise_failure()
        connection = AsyncConnection(session, await session.cursor())
        await connection.execute(GREETING)
    except BaseException:
        _close(session)
        raise
    return connection


def _close(session: Any) -> None:
    """Closes the connection once: aiopg would remove a reader by a number that another connection may already
    have.
    """
    if session.raw.is_released:
        return
    session.close()


async def _with_addresses(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Resolves host names to addresses, because libpq resolves them in the calling thread and may block.

    A host with several addresses is listed several times; libpq would try them in the same way.
    """
    named = parameters.get("host", "")
    if not named or parameters.get("hostaddr"):
        return dict(parameters)
    hosts = named.split(",")
    ports = str(parameters.get("port", "")).split(",")
    if len(ports) not in (1, len(hosts)):
        return dict(parameters)  # libpq reports it.
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
    """Without duplicates; one empty address for the directory of a Unix socket. Raises: OSError."""
    if not host or host.startswith(("/", "@")):
        return [""]
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class WatchedConnection(extensions.connection):  # type: ignore[misc]
    """psycopg2's asynchronous connection with a stable descriptor, for aiopg.

    `fileno` is that of a selector, which is readable when libpq has work to do; libpq's own socket is
    registered only there. `poll` stores an error in `failure` instead of raising it, because aiopg's error
    handling calls `select`, which does not support descriptors above 1023.
    """

    def __init__(self, *options: Any) -> None:
        self.failure: Exception | None = None
        self._selector = selectors.DefaultSelector()
        # Asks the selector without the loops of `Selector.select`.
        self._reader = select.poll()
        self._reader.register(self._selector, select.POLLIN)
        self._watched, self._events = -1, 0
        self._is_established = self.is_released = False
        try:
            super().__init__(*options)
        except BaseException:
            self._selector.close()
            raise

    def fileno(self) -> int:
        return self._selector.fileno()

    def poll(self) -> int:
        """`POLL_OK` when there is nothing more to do, otherwise `POLL_READ`, whatever libpq waits for."""
        try:
            state = super().poll()
        except Exception as error:
            self.failure, state = error, POLL_OK
        if state == POLL_WRITE or self._events != READ or self.closed or not self._is_established:
            self._watch(state)
        return POLL_OK if state == POLL_OK else POLL_READ

    def raise_failure(self) -> None:
        """Raises the error of the last statement, once."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def is_readable(self) -> bool:
        """Whether the server has sent data or closed the connection."""
        return not self.closed and bool(self._reader.poll(0))

    def close(self) -> None:
        """Called by aiopg after the event loop has stopped watching the selector."""
        self.is_released = True
        super().close()
        self._selector.close()

    def _watch(self, state: int) -> None:
        """Registers libpq's socket again if it may be a different one, or if libpq waits for a different
        event.
        """
        wanted = READ | selectors.EVENT_WRITE if state == POLL_WRITE else READ
        if self.closed or not self._is_established or wanted != self._events:
            self._register(-1 if self.closed else super().fileno(), wanted)
        self._is_established |= state == POLL_OK

    def _register(self, descriptor: int, events: int) -> None:
        if self._watched >= 0:
            # libpq may have closed it, or opened another socket with the same number.
            self._selector.unregister(self._watched)
        if descriptor >= 0:
            self._selector.register(descriptor, events)
        self._watched, self._events = descriptor, events


class AsyncConnection:
    """An established session with one cursor, which runs one statement at a time.

    Cancelling a statement closes its connection.
    """

    def __init__(self, session: Any, cursor: Any) -> None:
        self.raw, self.cursor = session.raw, cursor.raw
        self._session, self._execute = session, cursor.execute

    @property
    def closed(self) -> bool:
        return bool(self.raw.closed)

    def is_alive(self) -> bool:
        """Whether an idle connection is still open, as far as this machine knows."""
        if self.raw.is_readable():
            self.raw.poll()  # The pending data may be a notice, or the end of the connection.
            return not self.raw.closed and not self.raw.is_readable()
        return not self.raw.closed

    async def execute(self, sql: str, values: Any = None) -> None:
        """Runs a statement; its rows are in `cursor`. Raises: psycopg2.Error."""
        self.raw.failure = None
        try:
            await self._execute(sql, values)
            if self.raw.failure is not None:
                self.raw.raise_failure()
        except BaseException as error:
            if self.closed or not isinstance(error, psycopg2.Error):
                self.close()
            raise

    def close(self) -> None:
        """Ends the session. A statement that is still waiting fails with psycopg2.OperationalError."""
        _close(self._session)
