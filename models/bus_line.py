"""One connection to Redis: bytes out, and each answer handed on in the moment it comes.

redis-py opens it (address, TLS, sign-in, database) and then gives its transport over. Its own reading costs
an await, a time limit and a task for each answer, many times what the answer costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import hiredis
from redis.exceptions import NoScriptError, ResponseError

from models.errors import Unavailable

NOT_READY = ("LOADING", "MASTERDOWN")
NO_MORE = object()


class Line(asyncio.Protocol):
    """`heard` gets each answer: text as bytes, an error as a ResponseError or, while it loads, Unavailable.
    `lost` is told once that the connection is gone, unless `close` ended it.
    """

    def __init__(self, connection: Any, heard: Callable[[Any], None], lost: Callable[[], None]) -> None:
        # Kept, for its destructor would close what it has opened.
        self._connection = connection
        self._heard, self._lost = heard, lost
        self._reader = hiredis.Reader(replyError=_error, notEnoughData=NO_MORE)
        self._transport = cast(asyncio.Transport, connection._writer.transport)
        self._transport.set_protocol(self)
        self._is_open = True

    @classmethod
    async def open(cls, pool: Any, heard: Callable[[Any], None], lost: Callable[[], None]) -> Line:
        """A connection as `pool` makes them. Raises RedisError, OSError, TimeoutError."""
        connection = pool.make_connection()
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return cls(connection, heard, lost)

    def write(self, packed: bytes) -> None:
        self._transport.write(packed)

    def close(self) -> None:
        """At once; what was asked is not answered any more, and `lost` is not told."""
        self._is_open = False
        self._transport.abort()
        self._connection._reader = self._connection._writer = None

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while self._is_open and (answer := self._reader.gets()) is not NO_MORE:
            self._heard(answer)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._is_open:
            self.close()
            self._lost()


def in_resp2(pool: Any) -> None:
    """In which nothing comes unasked, whatever the address says."""
    pool.connection_kwargs["protocol"] = 2


def _error(text: str) -> Exception:
    code = text.partition(" ")[0]
    if code in NOT_READY:
        return Unavailable()
    return NoScriptError(text) if code == "NOSCRIPT" else ResponseError(text)
