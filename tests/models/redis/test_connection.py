"""One connection to Redis: answers in order, and one message when it is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import hiredis
import pytest
from redis.exceptions import ResponseError

from models.redis.address import RedisAddress
from models.redis.connection import RedisConnection
from tests.support.scenes import until
from tests.support.servers import Servers


class Opened:
    """A connection, its answers and its losses."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.losses = 0

    async def to(self, url: str) -> RedisConnection:
        return await RedisConnection.open(RedisAddress(url), self.answers.append, self._lost)

    def _lost(self) -> None:
        self.losses += 1


async def test_answers_come_in_order_and_errors_among_them(servers: Servers) -> None:
    opened = Opened()
    connection = await opened.to(servers.redis_url)
    for command in (("SET", "ns:a", "1"), ("INCR", "ns:a"), ("LPUSH", "ns:a", "x"), ("GET", "ns:a")):
        connection.write(hiredis.pack_command(command))
    await until(lambda: len(opened.answers) == 4)
    connection.close()
    good, error = [*opened.answers[:2], opened.answers[3]], opened.answers[2]
    assert good == [b"OK", 2, b"2"]
    assert isinstance(error, ResponseError)
    assert (connection.reads > 0, opened.losses) == (True, 0)


async def test_a_lost_connection_is_reported_once(servers: Servers) -> None:
    opened = Opened()
    connection = await opened.to(servers.redis_url)
    connection.write(hiredis.pack_command(("QUIT",)))
    await until(lambda: opened.losses)
    connection.close()
    assert (opened.answers, opened.losses) == ([b"OK"], 1)


async def test_a_server_of_another_kind_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    opened = Opened()
    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionResetError):
            await opened.to(f"redis://127.0.0.1:{port}")
    assert "does not speak the protocol of Redis" in caplog.text
    assert (opened.answers, opened.losses) == ([], 0)
