"""What both sockets reject: foreign Origins, unknown sessions, invalid frames, floods, clients that never
read.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from collections.abc import Callable
from socket import IPPROTO_TCP, TCP_INFO

import pytest
from tornado.http1connection import HTTP1ServerConnection
from tornado.httpclient import HTTPClientError
from tornado.httputil import HTTPServerRequest

from handlers.base.socket import MOST_FAULTS, Budget
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.clients import Socket
from tests.support.scenes import Raw, ban, in_call, two, until

LIMIT = 64 * 1024
Headers = dict[str, str]


async def status_of(site: Running, path: str, **headers: str) -> int:
    """101, or the status of the rejection."""
    try:
        (await site.socket(path, **headers)).close()
    except HTTPClientError as refused:
        return refused.code
    return 101


@pytest.mark.parametrize("path", ["/ws/invites", "/ws/calls/x"])
async def test_only_our_own_origins_can_open_a_socket(site: Running, person: MakePerson, path: str) -> None:
    anna, own = await person(), site.base_url
    port = site.config.port
    cookie, bearer = {"Cookie": f"session={anna.token}"}, {"Authorization": f"Bearer {anna.token}"}
    ours = [own, f"http://127.0.0.1:{port}", f"http://[::1]:{port}"]
    foreign = [
        "null", "", "https://evil.example", own + "0", own[:-1], own + ".evil.example", own + "/",
        f"{own}/room",
        "http://localhost", f"http://localhost:{port + 1}", f"https://localhost:{port}", f"ws://localhost:{port}",
        f"http://evil.localhost:{port}", f"http://localhost.evil.example:{port}", f"http://evil@localhost:{port}",
        f"http://user@localhost:{port}", f"http://127.0.0.2:{port}", f"{own} https://evil.example",
    ]  # fmt: skip
    for origin in ours:
        assert await status_of(site, path, Origin=origin, **cookie) == 101, origin
        assert await status_of(site, path, Origin=origin, **bearer) == 101, origin
    for origin in foreign:
        assert await status_of(site, path, Origin=origin, **cookie) == 403, origin
        assert await status_of(site, path, Origin=origin, **bearer) == 403, origin
    assert await status_of(site, path, **bearer) == 101
    assert await status_of(site, path, **cookie) == 403
    assert await status_of(site, path) == 403


async def test_an_allowed_origin_can_open_a_socket(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    anna = await person()
    other = await make_site(allowed_origins=("https://app.example",))
    bearer = f"Bearer {anna.token}"
    assert await status_of(other, "/ws/invites", Origin="https://app.example", Authorization=bearer) == 101
    assert await status_of(other, "/ws/invites", Origin="http://app.example", Authorization=bearer) == 403
    assert await status_of(site, "/ws/invites", Origin="https://app.example", Authorization=bearer) == 403


@pytest.mark.parametrize("token", ["", "x", "00000000-0000-4000-8000-000000000000", "é"])
@pytest.mark.parametrize("path", ["/ws/invites", "/ws/calls/00000000-0000-4000-8000-000000000000"])
async def test_a_client_without_a_session_is_closed_with_4401(site: Running, path: str, token: str) -> None:
    socket = await site.socket(path, Authorization=f"Bearer {token}".encode().decode("latin1"))
    assert await socket.closed() == 4401


async def test_an_unknown_cookie_is_closed_with_4401(site: Running) -> None:
    socket = await site.socket("/ws/invites", Origin=site.base_url, Cookie="session=x")
    assert await socket.closed() == 4401


async def test_a_banned_user_is_closed_with_4403(site: Running, person: MakePerson) -> None:
    anna = await person()
    await ban(site.models, anna)
    assert await (await site.socket("/ws/invites", anna.token)).closed() == 4403


async def opened(site: Running, person: MakePerson, kind: str) -> Socket:
    """A socket of either kind, with an empty inbox."""
    if kind == "invite":
        return await site.invites(await person(), join=False)
    return (await in_call(site, person, connected=False)).a


KINDS = pytest.mark.parametrize("kind", ["invite", "relay"])
DEEP = '{"type":"rtc:ice","candidate":' + "[" * 25_000 + "]" * 25_000 + "}"
DEEP_OBJECT = '{"type":"call:invite","toUserId":' + '{"a":' * 10_000 + "1" + "}" * 10_000 + "}"
FAULTY: list[tuple[str, str | None]] = [
    ("", None), ("{", None), ("[]", None), ("null", None), ("1", None), ('"x"', None), ("{}", None),
    ('{"type":1}', None), ('{"type":null}', None), ('{"type":"nonsense","id":"7"}', "7"),
    ('{"type":"nonsense","id":7}', None), ('{"type":"ping","id":""}', ""),
    ('{"type":"ping","id":["x"]}', None), (json.dumps({"type": "ping", "id": "x" * 65}), "x" * 65),
    ('{"type":"call:accept","id":"8"}', "8"), ('{"type":"call:accept","inviteId":{},"id":"9"}', "9"),
    ('{"type":"queue:hidden","hidden":"yes","id":"a"}', "a"),
    ('{"type":"chat:message","text":7,"id":"b"}', "b"), ('{"type":"ping","id":"\\ud800"}', None),
    ('{"type":"chat:message","text":"no id"}', None),
]  # fmt: skip


@KINDS
async def test_an_invalid_frame_is_answered_and_the_socket_stays_open(
    site: Running, person: MakePerson, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened(site, person, kind)
    for frame, command_id in FAULTY[:MOST_FAULTS]:
        socket.send_raw(frame)
        told = await socket.receive("error")
        assert (told["code"], told.get("id")) == ("bad_request", command_id), (frame, told)
    assert "error" not in await socket.quiet()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@KINDS
@pytest.mark.parametrize(
    "frame",
    [
        DEEP, DEEP_OBJECT,
        '{"type":"call:invite","toUserId":' + "9" * 5_000 + "}",
        '{"type":"chat:message","text":"x","id":"y","n":' + "9" * 5_000 + "}",
        '{"type":"call:invite","toUserId":"x","requestedSeconds":1e5000}',
        '{"type":"call:accept","inviteId":"x","requestedSeconds":' + "9" * 5_000 + "}",
        '{"type":' + "9" * 5_000 + "}",
        '{"type":"ping","id":"' + "\\u0000" * 60 + '"}',
    ],
)  # fmt: skip
async def test_monstrous_json_harms_nothing(
    site: Running, person: MakePerson, kind: str, frame: str, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened(site, person, kind)
    socket.send_raw(frame)
    await socket.quiet()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert all(told["code"] == "bad_request" for told in socket.inbox if told["type"] == "error")


@KINDS
async def test_too_many_invalid_frames_close_it(site: Running, person: MakePerson, kind: str) -> None:
    socket = await opened(site, person, kind)
    for _ in range(MOST_FAULTS + 1):
        socket.send_raw("{")
    assert await socket.closed() == 4400


@KINDS
async def test_binary_frames_close_it(site: Running, person: MakePerson, kind: str) -> None:
    socket = await opened(site, person, kind)
    socket.send_raw(b'{"type":"ping"}')
    assert await socket.closed() == 4400


@KINDS
@pytest.mark.parametrize("letter", ["x", "é"])
async def test_64_kib_pass_and_one_more_byte_closes_it(
    site: Running, person: MakePerson, kind: str, letter: str
) -> None:
    socket = await opened(site, person, kind)
    head, tail = '{"type":"ping","id":"p","pad":"', '"}'
    room = LIMIT - len(head + tail)
    pad = letter * (room // len(letter.encode())) + "x" * (room % len(letter.encode()))
    socket.send_raw(head + pad + tail)
    await socket.receive("pong", id="p")
    socket.send_raw(head + pad + "x" + tail)
    assert await socket.closed() == 4400


@pytest.mark.parametrize(("kind", "at_once"), [("invite", 20 * 4), ("relay", 100 * 4)])
async def test_a_flood_closes_it(site: Running, person: MakePerson, kind: str, at_once: int) -> None:
    socket = await opened(site, person, kind)
    for _ in range(at_once + 200):
        socket.send("ping")
    assert await socket.closed() == 4429
    assert len(socket.inbox) >= at_once


def test_a_budget_refills(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("handlers.base.socket.time.monotonic", lambda: now[0])
    budget = Budget(10)
    assert [budget.take() for _ in range(41)] == [True] * 40 + [False]
    now[0] += 0.5
    assert [budget.take() for _ in range(6)] == [True] * 5 + [False]
    now[0] += 1000
    assert [budget.take() for _ in range(41)] == [True] * 40 + [False]


async def test_a_reader_that_never_reads_is_cut_off(
    site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    pair = await two(site, person)
    other = await site.invites(pair.ben)
    silent = await Raw.open(site, "/ws/invites", pair.ben.token)
    hub = site.site.hub
    await until(lambda: len(hub.invite_sockets[pair.ben.user_id]) == 3)
    frame = json.dumps({"type": "pad", "pad": "x" * 60_000}).encode()
    sockets = list(hub.invite_sockets[pair.ben.user_id])
    heard: list[Callable[[bytes], None]] = [socket.send for socket in sockets]
    for _ in range(400):
        for send in heard:
            send(frame)
        await pair.b.receive("pad")
        await other.receive("pad")
        if sum(socket.is_open for socket in sockets) == 2:
            break
    else:
        pytest.fail("24 MB were kept for a client that never reads")
    await pair.ring()
    await other.receive("call:notify")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    silent.close()


@KINDS
async def test_a_client_that_sends_after_the_close_affects_no_other(
    site: Running, person: MakePerson, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await person()
    path = "/ws/invites" if kind == "invite" else "/ws/calls/00000000-0000-4000-8000-000000000000"
    for token, code in (("nobody", 4401), (anna.token, 4404)):
        if kind == "invite" and code == 4404:
            continue
        socket = await site.socket(path, token)
        for _ in range(3):
            socket.send("rtc:offer", sdp="x")
            socket.send("queue:join")
            socket.send("call:end")
        assert await socket.closed() == code
        assert socket.inbox == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_open_socket_keeps_nothing_of_its_opening(site: Running, person: MakePerson) -> None:
    """The request and its connection would be half of its memory."""
    anna = await person()

    def kept() -> int:
        gc.collect()
        return sum(isinstance(one, HTTPServerRequest | HTTP1ServerConnection) for one in gc.get_objects())

    before = kept()
    sockets = [await site.socket("/ws/invites", anna.token) for _ in range(8)]
    for socket in sockets:
        await socket.receive("state")
    await until(lambda: kept() <= before)
    sockets[0].send("ping", id="1")
    assert (await sockets[0].receive("pong"))["id"] == "1"


async def test_messages_that_arrive_together_are_sent_together(site: Running, person: MakePerson) -> None:
    """A write per message would be most of its cost."""
    scene = await in_call(site, person)
    anna = await Raw.open(site, f"/ws/calls/{scene.call_id}", scene.people.anna.token)
    before = segments_to(scene.b)
    anna.send(*[f'{{"type":"rtc:ice","candidate":"{number}"}}' for number in range(60)])
    told = [(await scene.b.receive("rtc:ice"))["candidate"] for _ in range(60)]
    assert told == [str(number) for number in range(60)]
    assert segments_to(scene.b) - before < 10
    anna.close()


def segments_to(client: Socket) -> int:
    """The number of segments with data received, as the kernel counts them (`tcpi_data_segs_in`)."""
    assert client.connection.protocol is not None
    own = client.connection.protocol.stream.socket
    return int.from_bytes(own.getsockopt(IPPROTO_TCP, TCP_INFO, 160)[152:156], sys.byteorder)
