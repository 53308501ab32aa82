"""Random bytes and random frames on real sockets: each is answered or ended, nothing fails, nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tornado.ioloop import IOLoop

from handlers.realtime import connection
from handlers.realtime.websocket import WebSocketConnection
from tests.conftest import MakePerson, Running
from tests.fuzz.budget import rounds
from tests.support.raw.socket import GONE, RawSocket, frame
from tests.support.scenes import in_call, until

pytestmark = pytest.mark.prove
MOST_GROWTH = 60 * 2**20
TEXTS = [
    '{"type":"ping","id":"1"}',
    '{"type":"rtc:ice","candidate":"x"}',
    '{"type":"queue:join"}',
    "{",
    '"é€𝄞"',
]

payloads = st.one_of(
    st.binary(max_size=130),
    st.sampled_from(TEXTS).map(str.encode),
    st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass")),
    st.integers(1, 70_000).map(lambda size: b"x" * size),
    st.integers(0, 65_535).map(lambda code: code.to_bytes(2) + b"reason"),
)
opcodes = st.one_of(st.sampled_from([0, 1, 1, 1, 2, 8, 9, 10]), st.integers(0, 15))
masks = st.sampled_from([b"\0\0\0\0", b"\1\2\3\4", b"\1\2\3\4", b"\xff\xff\xff\xff", b""])
framed = st.builds(
    lambda opcode, payload, fin, mask, rsv: frame(opcode, payload, fin=fin, mask=mask, rsv=rsv),
    opcodes, payloads, st.booleans(), masks, st.sampled_from([0, 0, 0, 0, 0, 1, 2, 4]),
)  # fmt: skip
good = st.builds(lambda opcode, text: frame(opcode, text), st.sampled_from([1, 9, 10]), payloads)
cut = st.tuples(framed, st.integers(0, 20)).map(lambda pair: pair[0][: pair[1]])
often = st.tuples(framed, st.integers(2, 500)).map(lambda pair: (pair[0][:40] * pair[1])[:100_000])
pieces = st.lists(st.one_of(st.binary(max_size=200), framed, good, good, cut, often), max_size=12)
PATHS = ["member", "nobody", "call"]


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What the process logs as an error, tracebacks of the event loop included."""
    found: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)


def test_any_bytes_are_answered_or_ended(
    io_loop: IOLoop,
    site: Running,
    person: MakePerson,
    errors: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "CLOSE_SECONDS", 0.2)
    caplog.set_level(logging.ERROR)
    anna = io_loop.run_sync(person)
    scene = io_loop.run_sync(lambda: in_call(site, person))
    doors = {
        "member": ("/ws/invites", anna.token),
        "nobody": ("/ws/invites", "nobody"),
        "call": (f"/ws/calls/{scene.call_id}", scene.people.anna.token),
    }
    others = len(site.site.hub.sockets)

    async def play(door: str, sent: list[bytes], slices: int, is_rude: bool) -> None:
        socket = await RawSocket.open(site.config.port, *doors[door])
        whole = b"".join(sent)
        size = max(1, len(whole) // slices)
        for at in range(0, len(whole), size):
            socket.send(whole[at : at + size])
            await asyncio.sleep(0)
        if is_rude:
            socket.close()
        else:
            await farewell(socket)
        await until(lambda: len(site.site.hub.sockets) <= others, 8)
        scene.b.inbox.clear()

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(st.sampled_from(PATHS), pieces, st.integers(1, 9), st.booleans())
    def fuzz(door: str, sent: list[bytes], slices: int, is_rude: bool) -> None:
        io_loop.run_sync(lambda: play(door, sent, slices, is_rude))
        assert errors == []

    grown = []
    for _ in rounds():
        fuzz()
        gc.collect()
        grown.append(psutil.Process().memory_info().rss)
    print(f"{len(grown) * 60} connections; memory grew by {(grown[-1] - grown[0]) / 2**20:.1f} MiB")
    assert grown[-1] - grown[0] < MOST_GROWTH
    io_loop.run_sync(lambda: until(lambda: connections() <= others, 8))


def connections() -> int:
    """Those that are still in memory."""
    gc.collect()
    return sum(isinstance(one, WebSocketConnection) for one in gc.get_objects())


async def farewell(socket: RawSocket) -> None:
    """A Close frame and the end of our side. The server must end its side."""
    socket.send(frame(8, (1000).to_bytes(2)))
    with contextlib.suppress(ConnectionError, RuntimeError):
        socket.writer.write_eof()
    with contextlib.suppress(*GONE, TimeoutError):
        await socket.ended(6)
    socket.close()
