"""Frames from hostile and unusual clients: which are accepted, and the close codes of the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

import pytest
from tornado.ioloop import IOLoop

from handlers.ringing.invites import InviteSocket
from tests.conftest import MakePerson, Running
from tests.support.raw.socket import BINARY, CLOSE, CONT, PING, PONG, TEXT, RawSocket, frame, text
from tests.support.scenes import in_call, until

ASK = '{"type":"ping","id":"é€𝄞"}'
MEBIBYTES_64 = b"\0" * 64 * 2**20
# What the kernel may buffer of a loopback connection, both sides.
KERNEL = 24 * 2**20
Open = Callable[..., Awaitable[RawSocket]]


@pytest.fixture(autouse=True)
def no_faults_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.fixture
def raw(io_loop: IOLoop, site: Running, person: MakePerson) -> Iterator[Open]:
    """`await raw()`: an invite socket of a new user; with `token="unknown"` an anonymous one."""
    there: list[RawSocket] = []

    async def opened(
        path: str = "/ws/invites", token: str = "", at: Running = site, **more: str
    ) -> RawSocket:
        token = token or (await person()).token
        there.append(await RawSocket.open(at.config.port, path, token, **more))
        return there[-1]

    yield opened
    for socket in there:
        socket.close()


def shut(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason)


FAULTS = {
    "no mask": (frame(TEXT, b"{}", mask=b""), 1002),
    "a PING without a mask": (frame(PING, mask=b""), 1002),
    "RSV1": (frame(TEXT, b"{}", rsv=4), 1002),
    "RSV2 of a PING": (frame(PING, rsv=2), 1002),
    "RSV3": (frame(TEXT, b"{}", rsv=1), 1002),
    "opcode 3": (frame(3), 1002),
    "opcode 11": (frame(11), 1002),
    "a PING in fragments": (frame(PING, fin=False), 1002),
    "a Close in fragments": (frame(CLOSE, fin=False), 1002),
    "a PING of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "a continuation of nothing": (frame(CONT, b"x"), 1002),
    "a text in a text": (frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), 1002),
    "a Close of one byte": (frame(CLOSE, b"\3"), 1002),
    "Close 0": (shut(0), 1002),
    "Close 999": (shut(999), 1002),
    "Close 1004": (shut(1004), 1002),
    "Close 1005": (shut(1005), 1002),
    "Close 1006": (shut(1006), 1002),
    "Close 1015": (shut(1015), 1002),
    "Close 2999": (shut(2999), 1002),
    "Close 5000": (shut(5000), 1002),
    "Close 65535": (shut(65535), 1002),
    "a reason that is not UTF-8": (shut(1000, b"\xff"), 1007),
    "a text that is not UTF-8": (frame(TEXT, b"\xff{}"), 1007),
    "a surrogate": (frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    "an overlong slash": (frame(TEXT, b'"\xc0\xaf"'), 1007),
    "half a character": (frame(TEXT, "€".encode()[:2]), 1007),
    "half a character at the end of fragments": (
        frame(TEXT, "€".encode()[:1], fin=False) + frame(CONT, "€".encode()[1:2]),
        1007,
    ),
    "2**63 - 1 bytes": (b"\x81\xff" + (2**63 - 1).to_bytes(8) + b"\0" * 8, 4400),
    "2**64 - 1 bytes": (b"\x81\xff" + b"\xff" * 8 + b"\0" * 8, 4400),
    "64 KiB and a byte": (b"\x81\xff" + (2**16 + 1).to_bytes(8), 4400),
    "64 KiB and a byte in fragments": (
        frame(TEXT, b"x" * 2**16, fin=False) + frame(CONT, b"x"),
        4400,
    ),
    "binary": (frame(BINARY, b"{}"), 4400),
    "the first fragment of a binary message": (frame(BINARY, b"{}", fin=False), 4400),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_an_invalid_frame_ends_the_connection_with_its_code(
    raw: Open, site: Running, name: str
) -> None:
    """A valid message before it is answered; none after it is."""
    socket = await raw()
    sent, code = FAULTS[name]
    socket.send(text(ASK))
    assert (await socket.message("pong"))["id"] == "é€𝄞"
    socket.send(sent, frame(PING))
    assert await socket.close_code() == code
    await socket.ended()
    assert site.site.hub.sockets
    socket.close()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_fragments_may_end_anywhere_even_in_a_character(raw: Open, size: int) -> None:
    socket, whole = await raw(), ASK.encode()
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    for number, piece in enumerate(pieces):
        socket.send(frame(CONT if number else TEXT, piece, fin=number == len(pieces) - 1))
        if number % 3 == 0:
            socket.send(frame(PING, b"between"), frame(PONG))
    assert (await socket.message("pong"))["id"] == "é€𝄞"


async def test_a_frame_may_arrive_byte_by_byte(raw: Open) -> None:
    socket = await raw()
    await socket.message("state")
    for byte in text(ASK):
        socket.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await socket.message("pong"))["id"] == "é€𝄞"


async def test_a_ping_is_answered_and_a_close_is_echoed(raw: Open, site: Running) -> None:
    socket = await raw()
    socket.send(frame(PING, b"payload"))
    assert await socket.until_opcode(PONG) == (PONG, b"payload")
    socket.send(shut(4999, "bye €".encode()), text(ASK), frame(PING))
    assert await socket.until_opcode(CLOSE, PONG) == (CLOSE, (4999).to_bytes(2) + "bye €".encode())
    await socket.ended()
    await until(lambda: not site.site.hub.sockets)


async def test_a_close_without_a_code_is_echoed(raw: Open) -> None:
    socket = await raw()
    socket.send(frame(CLOSE))
    assert await socket.close_code() == 1005


async def test_messages_before_the_close_are_handled(site: Running, person: MakePerson, raw: Open) -> None:
    scene = await in_call(site, person)
    socket = await raw(f"/ws/calls/{scene.call_id}", scene.people.anna.token)
    await socket.message("call:state")
    said = [{"type": "chat:message", "text": "last words", "id": "1"}, {"type": "call:end"}]
    socket.send(*map(text, said), shut(1000))
    assert (await scene.b.receive("chat:message"))["text"] == "last words"
    await scene.b.receive("call:end")


async def test_after_our_close_nothing_more_is_handled(raw: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    def on_message(self: InviteSocket, message: bytes) -> None:
        heard.append(message)
        self.close(1000)

    socket = await raw()
    await socket.message("state")
    monkeypatch.setattr(InviteSocket, "on_message", on_message)
    socket.send(text("first"), text("second"), text("third"))
    assert await socket.close_code() == 1000
    socket.send(text("fourth"), shut(1000))
    await socket.ended()
    assert heard == [b"first"]


@pytest.mark.parametrize("where", ["opened", "on_message"])
async def test_a_cancelled_future_ends_the_connection_with_1011(
    site: Running,
    person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: str,
) -> None:
    """Without that, the socket would stay open and never read again."""

    async def cancelled(*_: object) -> None:
        shared: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        shared.cancel()
        await shared

    monkeypatch.setattr(InviteSocket, where, cancelled)
    raw = await RawSocket.open(site.config.port, "/ws/invites", (await person("Anna")).token)
    raw.send(text({"type": "ping", "id": "1"}))
    assert await raw.close_code() == 1011
    await raw.ended()
    raw.close()
    await until(lambda: not site.site.hub.sockets)
    assert "a socket failed" in caplog.text
    caplog.clear()
