"""The takeover of a connection: handshakes, frames that come with the request, a client that is gone."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from handlers.ringing.invites import InviteSocket
from models.security.member import Member
from tests.conftest import MakePerson, Running
from tests.support.raw.socket import HEAD, RawSocket, text


async def test_a_client_that_is_gone_before_the_101_leaves_no_trace(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The end is found when the bytes that arrived with the request are read, not before."""
    anna, done = await person("Anna"), asyncio.Event()
    client = socket.create_connection(("localhost", site.config.port))
    of, on_finish = site.models.admission.of, InviteSocket.get

    async def gone(token: str | None) -> tuple[Member | None, object]:
        found = await of(token)
        client.close()
        return found

    async def get(self: InviteSocket, *args: str, **kwargs: str) -> None:
        try:
            await on_finish(self, *args, **kwargs)
        finally:
            done.set()

    monkeypatch.setattr(site.models.admission, "of", gone)
    monkeypatch.setattr(InviteSocket, "get", get)
    client.sendall(HEAD.format(path="/ws/invites", token=anna.token, headers="").encode())
    await asyncio.wait_for(done.wait(), 30)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not site.site.hub.sockets


async def test_frames_sent_with_the_request_are_not_lost(site: Running, person: MakePerson) -> None:
    """Some clients do not wait for the 101, and a proxy may join what it passes on."""
    early = text({"type": "ping", "id": "1"}) + text({"type": "ping", "id": "2"})[:9]
    token = (await person()).token
    socket = await RawSocket.open(site.config.port, "/ws/invites", token, early=early)
    assert (await socket.message("pong"))["id"] == "1"
    socket.send(text({"type": "ping", "id": "2"})[9:])
    assert (await socket.message("pong"))["id"] == "2"
    socket.close()


@pytest.mark.parametrize(
    "headers",
    [
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame\r\n",
        "Sec-WebSocket-Extensions: ;;;=,\r\n",
        "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Protocol: \r\n",
    ],
)
async def test_no_extension_and_no_subprotocol_is_accepted(
    site: Running, person: MakePerson, headers: str
) -> None:
    head = await handshake(site, f"Authorization: Bearer {(await person()).token}\r\n{headers}")
    assert b" 101 " in head
    assert b"extensions" not in head.lower()
    assert b"protocol:" not in head.lower()


KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
VERSION = "Sec-WebSocket-Version: 13\r\n"


@pytest.mark.parametrize(
    ("own", "status"),
    [
        (VERSION, 400),
        ("Sec-WebSocket-Key: AAAA\r\n" + VERSION, 400),
        ("Sec-WebSocket-Key: \xff\xfe\r\n" + VERSION, 400),
        (KEY + KEY + VERSION, 400),
        (KEY, 426),
        (KEY + "Sec-WebSocket-Version: 8\r\n", 426),
        (KEY + VERSION + VERSION, 426),
    ],
)
async def test_an_invalid_handshake_is_rejected(
    site: Running, person: MakePerson, own: str, status: int
) -> None:
    token = (await person()).token
    head = await handshake(site, f"Authorization: Bearer {token}\r\n", own=own)
    assert f" {status} ".encode() in head.split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("Content-Length: 1500000", b"x" * 1_500_000),
        ("Content-Length: 1500000", b"x" * 100),
        ("Transfer-Encoding: chunked", b"16e360\r\n" + b"x" * 1_500_000 + b"\r\n0\r\n\r\n"),
    ],
    ids=["whole", "cut off", "chunked"],
)
async def test_a_handshake_with_a_long_body_opens_no_socket(
    site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture, header: str, body: bytes
) -> None:
    """The body would be read as frames while the server still reads it as a body."""
    token = (await person()).token
    head = await handshake(site, f"Authorization: Bearer {token}\r\n{header}\r\n", body=body)
    assert b" 413 " in head.split(b"\r\n")[0]
    assert not site.site.hub.sockets
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_only_get_opens_a_socket(site: Running, person: MakePerson) -> None:
    token = (await person()).token
    for method in ("POST", "PATCH", "DELETE", "PUT"):
        assert (await site.client.send(method, "/ws/invites", token=token, body=b"")).status == 405


async def handshake(site: Running, headers: str, own: str = KEY + VERSION, body: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection("localhost", site.config.port)
    upgrade = "Host: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    writer.write(f"GET /ws/invites HTTP/1.1\r\n{upgrade}{own}{headers}\r\n".encode("latin1") + body)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    return head
