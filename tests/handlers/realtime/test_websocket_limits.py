"""The cost of one connection: floods, data after the end, clients that do not read, slow bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from tornado.ioloop import IOLoop

from handlers.base import socket as base_socket
from handlers.realtime import connection
from handlers.realtime.frame_protocol import PIECE
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.pace import within
from tests.support.raw.socket import CONT, PING, PONG, TEXT, RawSocket, frame, text
from tests.support.scenes import until

FLOOD = 4 * 20 + 200
MUCH = b"\x82" * 64 * 2**20
# What the kernel may buffer of a loopback connection, both sides together.
KERNEL = 24 * 2**20
Open = Callable[..., Awaitable[RawSocket]]


@pytest.fixture
def raw(io_loop: IOLoop, site: Running, person: MakePerson) -> Iterator[Open]:
    """`await raw()`: an invite socket of a new user; with `token="unknown"` an anonymous one."""
    there: list[RawSocket] = []

    async def opened(path: str = "/ws/invites", *, token: str = "", at: Running = site) -> RawSocket:
        there.append(await RawSocket.open(at.config.port, path, token or (await person()).token))
        return there[-1]

    yield opened
    for socket in there:
        socket.close()


FLOODS = {
    "PINGs": [frame(PING, b"x" * 125)],
    "PONGs": [frame(PONG)],
    "empty fragments": [frame(CONT, fin=False)],
    "PINGs in a message": [frame(PING), frame(CONT, b"x", fin=False), frame(PONG)],
    "messages": [text("{}".ljust(20))],
}


@pytest.mark.parametrize("name", FLOODS)
async def test_every_frame_counts(raw: Open, name: str) -> None:
    """A flood of any kind is ended by 4429 quickly, and little of it is answered."""
    socket = await raw()
    if name != "messages":
        socket.send(frame(TEXT, b"{", fin=False))
    answers = 0
    socket.send(*(FLOODS[name] * FLOOD))
    while (told := await socket.read())[0] != 8:
        answers += told[0] != TEXT
    assert int.from_bytes(told[1][:2]) in ((4429, 4400) if name == "messages" else (4429,))
    assert answers < 4 * 20 + PIECE / len(FLOODS[name][0]) + 1
    await socket.ended()


async def test_ordinary_pings_do_not_use_up_the_message_budget(raw: Open) -> None:
    socket = await raw()
    socket.send(*[frame(PING, b"x")] * 20)
    for number in range(40):
        socket.send(text({"type": "ping", "id": str(number)}))
        assert (await socket.message("pong"))["id"] == str(number)


async def test_after_a_failure_nothing_is_read(
    raw: Open, monkeypatch: pytest.MonkeyPatch, site: Running
) -> None:
    """An unmasked frame and much data: it is not read, and the connection ends in time."""
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 1)
    socket, began = await raw(token="nobody"), time.monotonic()
    socket.send(frame(TEXT, b"{}", mask=b""), MUCH)
    assert await socket.close_code() in (4401, 1002)
    await until(lambda: not site.site.hub.sockets)
    assert time.monotonic() - began < within(2.5)
    assert socket.unsent > len(MUCH) - KERNEL or socket.writer.transport.is_closing()


@pytest.mark.parametrize("piece", [text("x" * 1000), frame(PING, b"x"), frame(CONT, b"x" * 9)])
async def test_after_our_close_little_is_read(
    raw: Open, monkeypatch: pytest.MonkeyPatch, site: Running, piece: bytes
) -> None:
    """The client does not answer 4401 and sends valid frames: they take neither time nor memory."""
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 1)
    socket = await raw(token="nobody")
    assert await socket.close_code() == 4401
    began = time.monotonic()
    socket.send(piece * (len(MUCH) // len(piece)))
    await until(lambda: not site.site.hub.sockets)
    assert time.monotonic() - began < within(2.5)
    assert socket.unsent > len(MUCH) - KERNEL or socket.writer.transport.is_closing()


async def test_sending_does_not_keep_a_refused_socket_open(
    raw: Open, monkeypatch: pytest.MonkeyPatch, site: Running
) -> None:
    """Errors one after the other do not restart the time limit."""
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.5)
    socket = await raw(token="nobody")
    began = time.monotonic()
    while site.site.hub.sockets:
        socket.send(text("{}"))
        await asyncio.sleep(0.02)
    assert time.monotonic() - began < within(1.5)


async def test_repeated_closes_do_not_restart_the_time_limit(
    raw: Open, monkeypatch: pytest.MonkeyPatch, site: Running
) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.5)
    socket = await raw()
    await socket.message("state")
    (own,) = site.site.hub.sockets
    began = time.monotonic()
    while site.site.hub.sockets:
        own.close(1001)
        own.fail(4400, "again")
        await asyncio.sleep(0.02)
    assert time.monotonic() - began < within(1.5)


async def test_a_slow_reader_is_closed_with_4408(raw: Open, site: Running) -> None:
    """A client that soon reads again finds the code after the pending data."""
    socket = await raw()
    await socket.message("state")
    socket.stop_reading()
    (own,) = site.site.hub.sockets
    for _ in range(600):
        own.send(b'"' + b"x" * 60_000 + b'"')
    assert not own.is_open
    socket.read_on()
    assert await socket.close_code() == 4408
    await socket.ended()


async def test_unread_pongs_end_it_too(make_site: MakeSite, raw: Open) -> None:
    """Whatever the budget: pending output has its limit."""
    large = await make_site(invite_messages_per_second=1_000_000)
    socket = await raw(at=large)
    await socket.message("state")
    (own,) = large.site.hub.sockets
    socket.stop_reading()
    flood = frame(PING, b"x" * 125) * 20_000
    while own.is_open:
        socket.send(flood)
        await asyncio.sleep(0.01)
    socket.writer.transport.set_write_buffer_limits(0)
    socket.read_on()
    assert await socket.close_code() == 4408


async def test_a_client_that_never_reads_is_disconnected_in_time(
    raw: Open, monkeypatch: pytest.MonkeyPatch, site: Running
) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.5)
    socket = await raw()
    await socket.message("state")
    socket.stop_reading()
    (own,) = site.site.hub.sockets
    for _ in range(600):
        own.send(b'"' + b"x" * 60_000 + b'"')
    await until(lambda: not site.site.hub.sockets)


@pytest.mark.parametrize("is_polite", [True, False])
async def test_a_client_that_closes_and_never_reads_is_disconnected_in_time(
    raw: Open, monkeypatch: pytest.MonkeyPatch, site: Running, is_polite: bool
) -> None:
    """By a Close frame or a TCP half-close: pending output gets the time limit, and no more."""
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.5)
    socket = await raw()
    await socket.message("state")
    socket.stop_reading()
    (own,) = site.site.hub.sockets
    for _ in range(10):
        own.send(b'"' + b"x" * 90_000 + b'"')
    if is_polite:
        socket.send(frame(8, (1000).to_bytes(2)))
    else:
        socket.writer.write_eof()
    await until(lambda: not site.site.hub.sockets)


async def test_bytes_that_never_make_a_frame_do_not_keep_it(
    raw: Open, monkeypatch: pytest.MonkeyPatch, site: Running
) -> None:
    """One byte now and then, and no PONG: treated as a dead client."""
    monkeypatch.setattr(base_socket, "PING_SECONDS", 0.3)
    socket = await raw()
    began, slow = time.monotonic(), iter(frame(TEXT, b"x" * 60_000))
    await until(lambda: site.site.hub.sockets)
    while site.site.hub.sockets:
        socket.send(bytes([next(slow)]))
        await asyncio.sleep(0.02)
    assert time.monotonic() - began < within(2)
