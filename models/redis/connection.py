"""One connection to Redis: sends commands and passes on each answer as it arrives.

redis-py parses REDIS_URL (`models.redis.address`) and hiredis the answers. redis-py's own connection costs an
await and a timeout for each answer, many times the cost of the answer
(docs/decisions/storage/redis-answers-handed-on.md). The protocol is RESP2, which has no unrequested messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import hiredis
from redis.exceptions import RedisError

from models.errors import Unavailable
from models.redis.address import RedisAddress, RedisCommand
from models.redis.faults import RedisErrorReply, fault_of

logger = logging.getLogger(__name__)
AWAY = (RedisError, OSError, asyncio.TimeoutError, Unavailable)
NO_MORE = object()


class RedisConnection(asyncio.Protocol):
    """A connection. `on_answer` is called with each answer: text as bytes, an error as made by
    `models.redis.faults`.

    `on_lost` is called once when the connection is lost, but not after `close`. `reads` counts reads, so
    that a caller can see whether any data has arrived.
    """

    def __init__(self, on_answer: Callable[[Any], None], on_lost: Callable[[], None]) -> None:
        self._reader = hiredis.Reader(replyError=fault_of, notEnoughData=NO_MORE)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Any] | None = None
        self._on_answer: Callable[[Any], None] = self._greeted
        self._on_lost: Callable[[], None] = self._lost_greeting
        self._then = on_answer, on_lost
        self._is_open = True
        self.reads = 0

    @classmethod
    async def open(
        cls, address: RedisAddress, on_answer: Callable[[Any], None], on_lost: Callable[[], None]
    ) -> RedisConnection:
        """Connects, signs in, and checks that the server answers. Raises: RedisError, OSError, TimeoutError,
        Unavailable.
        """
        connection = cls(on_answer, on_lost)
        try:
            await address.connect(connection)
            for command in await address.greeting():
                await connection._greet(command)
        except BaseException:
            connection.close()
            raise
        connection._on_answer, connection._on_lost = connection._then
        return connection

    async def _greet(self, command: RedisCommand) -> None:
        if not self._is_open:
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self.write(hiredis.pack_command(command))
        answer = await self._answer
        if not self._is_open:
            raise ConnectionResetError
        if isinstance(answer, RedisErrorReply) and not answer.is_elsewhere:
            # It is loading, or cannot save: this is the right server, and the commands will show the error.
            return
        if isinstance(answer, Exception):
            raise (
                answer
                if isinstance(answer, RedisErrorReply) or command[0] != "AUTH"
                else RedisErrorReply("AUTH")
            )

    def _greeted(self, answer: Any) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    def _lost_greeting(self) -> None:
        self._greeted(ConnectionResetError())

    def write(self, packed: bytes) -> None:
        if self._transport is not None:
            self._transport.write(packed)

    def close(self) -> None:
        """Closes at once: pending commands get no answer, and `on_lost` is not called."""
        self._is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._is_open:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        try:
            self._reader.feed(data)
            while self._is_open and (answer := self._reader.gets()) is not NO_MORE:
                self._on_answer(answer)
        except hiredis.HiredisError:
            logger.error("redis away: the server at REDIS_URL does not speak the protocol of Redis")
            self._end()

    def connection_lost(self, _error: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if self._is_open:
            self.close()
            self._on_lost()
