"""Slow and silent clients: of a head, of a body, of an answer; and connections without a request."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from handlers.http import server
from handlers.http.server import SiteServer
from models.settings.environment import read_config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.pace import within
from tests.support.scenes import until

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SECONDS = 0.5


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SiteServer, "head_seconds", SECONDS)
    monkeypatch.setattr(SiteServer, "answer_seconds", SECONDS)


class Caller:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.began = time.monotonic()

    @classmethod
    async def call(cls, site: Running, first: bytes = b"") -> Caller:
        caller = cls(*await asyncio.open_connection("localhost", site.config.port))
        caller.writer.write(first)
        return caller

    async def status(self) -> int:
        """The status of the next answer, whose body is read too."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 30)
        size = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        await self.reader.readexactly(int(size.split(b":")[1]))
        return int(head.split()[1])

    async def rest(self) -> bytes:
        try:
            return await asyncio.wait_for(self.reader.read(), 30)
        except ConnectionError:
            return b""
        finally:
            self.writer.transport.abort()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    async def trickle(self, data: bytes) -> bytes:
        """Sends a byte now and then, until the server closes the connection; returns the answer."""
        rest = asyncio.ensure_future(self.rest())
        for byte in data:
            if rest.done():
                break
            self.writer.write(bytes([byte]))
            await asyncio.wait([rest], timeout=0.02)
        return await rest


def test_the_limits_are_short_enough() -> None:
    assert server.HEAD_SECONDS <= 30
    assert server.ANSWER_SECONDS <= 60


@pytest.mark.parametrize("path", ["/healthz", "/ws/invites", "/nowhere"])
async def test_a_slow_head_is_cut_off(site: Running, path: str) -> None:
    caller = await Caller.call(site)
    told = await caller.trickle(f"GET {path} HTTP/1.1\r\nX: {'x' * 60_000}".encode())
    assert told.startswith(b"HTTP/1.1 408 ")
    assert SECONDS * 0.9 < caller.seconds < within(3 * SECONDS)


async def test_a_silent_connection_is_closed(site: Running) -> None:
    caller = await Caller.call(site)
    assert await caller.rest() == b""
    assert SECONDS * 0.9 < caller.seconds < within(3 * SECONDS)


async def test_a_second_head_has_its_own_time_from_its_first_byte(site: Running) -> None:
    """A proxy may keep a connection for longer than a head may take."""
    caller = await Caller.call(site, HEAD)
    assert await caller.status() == 200
    await until(lambda: caller.seconds > 2 * SECONDS)
    caller.writer.write(HEAD)
    assert await caller.status() == 200
    again = time.monotonic()
    assert (await caller.trickle(b"GET / HTTP/1.1\r\nX: " + b"x" * 60_000)).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - again < within(3 * SECONDS)


async def test_requests_in_a_row_are_all_answered(site: Running) -> None:
    """Pipelined, and the last of them in two parts."""
    caller = await Caller.call(site, HEAD * 3 + HEAD[:10])
    assert [await caller.status() for _ in range(3)] == [200] * 3
    caller.writer.write(HEAD[10:])
    assert await caller.status() == 200
    caller.writer.transport.abort()


async def test_a_head_is_limited_to_64_kib(site: Running) -> None:
    caller = await Caller.call(site, HEAD[:-2] + b"X: " + b"x" * 60_000 + b"\r\n\r\n")
    assert await caller.status() == 200
    caller.writer.write(HEAD[:-2] + b"X: " + b"x" * 66_000)
    assert (await caller.rest()).startswith(b"HTTP/1.1 431 ")
    # So much more is under way that the connection may be reset before the answer is read.
    caller = await Caller.call(site, HEAD[:-2] + b"X: " + b"x" * 1_000_000)
    assert (await caller.rest())[:12] in (b"", b"HTTP/1.1 431")


async def test_a_slow_body_is_cut_off(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.BODY_SECONDS <= 60
    monkeypatch.setattr(server, "BODY_SECONDS", SECONDS)
    site = await make_site()
    for length in (b"Content-Length: 60000", b"Transfer-Encoding: chunked"):
        caller = await Caller.call(site, b"POST /csp-report HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n\r\n")
        await caller.trickle(b"1\r\nx\r\n" * 10_000)
        assert SECONDS * 0.9 < caller.seconds < within(4 * SECONDS)


async def test_an_address_has_few_connections_without_a_head(
    site: Running, make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is closed; the newest is served. A trusted proxy has no such limit."""
    monkeypatch.setattr(SiteServer, "most_pending", 5)
    monkeypatch.setattr(SiteServer, "head_seconds", 5)
    slow = [await Caller.call(site, HEAD[:9]) for _ in range(7)]
    await asyncio.gather(slow[0].rest(), slow[1].rest())
    assert max(slow[0].seconds, slow[1].seconds) < 3
    for caller in slow[2:]:
        caller.writer.write(HEAD[9:])
        assert await caller.status() == 200
    trusted = read_config({"TRUSTED_PROXIES": "127.0.0.1,::1"}).trusted_proxies
    behind = await make_site(trusted_proxies=trusted)
    many = [await Caller.call(behind, HEAD[:9]) for _ in range(20)]
    for caller in many:
        caller.writer.write(HEAD[9:])
        assert await caller.status() == 200
    for caller in slow + many:
        caller.writer.transport.abort()


async def test_an_unread_answer_is_cut_off(site: Running, person: MakePerson) -> None:
    """A thousand pages, none of which is read."""
    connection = socket.create_connection(("localhost", site.config.port))
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader, writer = await asyncio.open_connection(sock=connection, limit=1024)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    before = len(asyncio.all_tasks())
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
    await until(lambda: has_unread(site))
    await until(lambda: not has_unread(site))
    await until(lambda: len(asyncio.all_tasks()) <= before)
    writer.transport.abort()
    assert reader


def has_unread(site: Running) -> bool:
    return any(stream.writing() for stream in site.server.streams)
