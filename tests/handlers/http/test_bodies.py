"""Bodies that are too long, stalled or malformed: the answer reaches the client, and memory is limited."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import NamedTuple

import psutil
import pytest

import models.profiles.uploads
from handlers.base import uploads
from handlers.http import bodies
from models.profiles.uploads import MOST_OWN, Uploads
from tests.conftest import MakePerson, Running, jpeg
from tests.support.clients import multipart
from tests.support.scenes import until

MEGABYTE = 1024 * 1024
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


class Wire(NamedTuple):
    """A connection on which a test writes every byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """The status and the body of the next answer, by its length."""
        async with asyncio.timeout(30):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split()[0])
            return int(head.split()[1]), await self.reader.readexactly(length)


class Wires:
    def __init__(self, port: int) -> None:
        self._port, self._open = port, list[Wire]()

    async def post(self, path: str, kind: str, token: str | None = None, *lines: str) -> Wire:
        """With the head of a request already sent."""
        wire = Wire(*await asyncio.open_connection("localhost", self._port))
        self._open.append(wire)
        signed = [f"Authorization: Bearer {token}"] if token else []
        head = [
            f"POST {path} HTTP/1.1",
            "Host: localhost",
            "Accept: application/json",
            f"Content-Type: {kind}",
        ]
        await wire.send("\r\n".join([*head, *signed, *lines, "", ""]).encode())
        return wire

    def close(self) -> None:
        for wire in self._open:
            wire.writer.transport.abort()


@pytest.fixture
def wires(site: Running) -> Iterator[Wires]:
    made = Wires(site.config.port)
    yield made
    made.close()


def resident() -> int:
    return psutil.Process().memory_info().rss


@pytest.mark.parametrize(
    ("path", "kind", "size"),
    [
        ("/media/video", MULTIPART, 60 * MEGABYTE), ("/media/selfie", MULTIPART, 60 * MEGABYTE),
        ("/report", JSON, 2 * MEGABYTE), ("/report", FORM, 60 * MEGABYTE),
        ("/report", MULTIPART, 2 * MEGABYTE),
        ("/payment/webhook", JSON, 2 * MEGABYTE), ("/csp-report", JSON, 2 * MEGABYTE),
    ],
)  # fmt: skip
async def test_a_client_that_reads_only_afterwards_gets_its_413(
    site: Running, person: MakePerson, wires: Wires, path: str, kind: str, size: int
) -> None:
    """Like a browser. The connection serves the next request, too."""
    ann = await person("Ann")
    before = resident()
    wire = await wires.post(path, kind, ann.token, f"Content-Length: {size}")
    for _ in range(size // MEGABYTE):
        await wire.send(bytes(MEGABYTE))
    status, body = await wire.answer()
    assert (status, b"too_large" in body) == (413, True)
    assert resident() - before < 20 * MEGABYTE
    await wire.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await wire.answer())[0] == 200


async def test_the_console_rejects_a_long_body_too(site: Running, wires: Wires) -> None:
    wire = await wires.post("/admin/sign-in", FORM, None, f"Content-Length: {2 * MEGABYTE}")
    await wire.send(bytes(2 * MEGABYTE))
    assert (await wire.answer())[0] == 413


@pytest.mark.parametrize("path", ["/media/video", "/media/selfie", "/report"])
async def test_without_a_length_the_answer_comes_at_the_limit(
    site: Running, person: MakePerson, wires: Wires, path: str
) -> None:
    ann = await person("Ann")
    kind = JSON if path == "/report" else MULTIPART
    wire = await wires.post(path, kind, ann.token, "Transfer-Encoding: chunked")
    for _ in range(55):
        await wire.send(b"100000\r\n" + bytes(0x100000) + b"\r\n")
    await wire.send(b"0\r\n\r\n")
    assert (await wire.answer())[0] == 413
    await wire.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await wire.answer())[0] == 200


async def test_a_client_that_waits_for_100_continue_need_not_send(
    site: Running, person: MakePerson, wires: Wires
) -> None:
    ann = await person("Ann")
    for token, status in ((ann.token, 413), (None, 401)):
        lines = (f"Content-Length: {60 * MEGABYTE}", "Expect: 100-continue")
        wire = await wires.post("/media/video", MULTIPART, token, *lines)
        assert (await wire.answer())[0] == status


async def test_a_client_without_a_session_is_answered_before_it_sends_fifty_megabytes(
    site: Running, wires: Wires
) -> None:
    wire = await wires.post("/media/video", MULTIPART, None, f"Content-Length: {50 * MEGABYTE}")
    assert (await wire.answer())[0] == 401
    for _ in range(50):
        await wire.send(bytes(MEGABYTE))
    await wire.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await wire.answer())[0] == 200


async def test_no_more_is_dropped_than_the_limit(
    site: Running, wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MOST_DRAINED", MEGABYTE)
    wire = await wires.post("/media/video", MULTIPART, None, f"Content-Length: {50 * MEGABYTE}")
    assert (await wire.answer())[0] == 401

    async def send_all() -> None:
        for _ in range(50):
            await wire.send(bytes(MEGABYTE))
            await asyncio.sleep(0)

    with pytest.raises(ConnectionError):
        await send_all()


async def test_a_client_that_stops_sending_is_disconnected(
    site: Running, wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "DRAIN_SECONDS", 0.1)
    wire = await wires.post("/media/video", MULTIPART, None, f"Content-Length: {50 * MEGABYTE}")
    assert (await wire.answer())[0] == 401
    assert await wire.reader.read() == b""


@pytest.mark.parametrize("length", ["-1", "abc", "1, 2", "1" * 30, "+5", "0x10", "5 5"])
async def test_an_invalid_length_is_rejected(site: Running, wires: Wires, length: str) -> None:
    wire = await wires.post("/report", JSON, None, f"Content-Length: {length}")
    assert int((await wire.reader.readline()).split()[1]) in (400, 413)


async def test_a_body_shorter_than_its_length_leaves_nothing(site: Running, wires: Wires) -> None:
    wire = await wires.post("/report", JSON, None, "Content-Length: 500000")
    await wire.send(bytes(300_000))
    await until(lambda: len(site.site.bodies._held) == 1)
    wire.writer.close()
    await until(lambda: len(site.site.bodies._held) == 0)


async def test_sixty_stalled_selfies_of_one_guest_take_no_memory(
    site: Running, person: MakePerson, wires: Wires
) -> None:
    ann, ben = await person("Ann", access=None, selfie=False), await person("Ben", selfie=False)
    before, stalled = resident(), []
    for _ in range(60):
        wire = await wires.post("/media/selfie", MULTIPART, ann.token, f"Content-Length: {8 * MEGABYTE}")
        await wire.send(b'--x\r\nContent-Disposition: form-data; name="selfie"\r\n\r\n' + bytes(7 * MEGABYTE))
        stalled.append(wire)
    answers = [await wire.answer() for wire in stalled[MOST_OWN:]]
    assert {status for status, _ in answers} == {503}
    assert len(site.models.selfies.uploads) == MOST_OWN
    assert resident() - before < 20 * MEGABYTE
    assert (await site.client.upload("/media/selfie", "selfie", jpeg(), token=ben.token)).status == 201


async def test_a_stalled_upload_frees_its_slot(
    site: Running, person: MakePerson, wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "STALL_SECONDS", 0.1)
    ann = await person("Ann", selfie=False)
    wire = await wires.post("/media/selfie", MULTIPART, ann.token, f"Content-Length: {8 * MEGABYTE}")
    await until(lambda: len(site.models.selfies.uploads) == 1)
    assert await wire.reader.read() == b""
    await until(lambda: len(site.models.selfies.uploads) == 0)
    await site.site.requests.drained()
    assert site.site.requests.is_idle


async def test_of_many_bodies_in_memory_the_oldest_is_cut_off(
    site: Running, wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MOST_HELD", 3 * MEGABYTE)
    held = []
    for number in range(8):
        wire = await wires.post("/report", JSON, None, f"Content-Length: {MEGABYTE}")
        await wire.send(bytes(MEGABYTE - 1))
        held.append(wire)
        await until(lambda: number < 3 or len(site.site.bodies._held) == 3)  # noqa: B023
    assert await held[0].reader.read() == b""
    await held[-1].send(b" ")
    assert (await held[-1].answer())[0] in (400, 401)


@pytest.mark.parametrize(
    "parts", [["x=y; " * 1900] * 90, ["; " * 4800] * 90, ["x=y; "] * 90], ids=["long", "empty", "many"]
)
async def test_a_form_whose_headers_take_long_is_rejected_unread(
    site: Running, wires: Wires, parts: list[str]
) -> None:
    """Forms are parsed in the event loop: 1 MB of part headers would block it for half a second."""
    part = '--x\r\nContent-Disposition: form-data; name="a"; {}\r\n\r\nb\r\n'
    body = "".join(map(part.format, parts)).encode() + b"--x--\r\n"
    wire = await wires.post("/auth/guest", MULTIPART, None, f"Content-Length: {len(body)}")
    began = time.thread_time()
    await wire.send(body)
    assert (await wire.answer())[0] == 400
    assert time.thread_time() - began < 0.15


async def test_the_token_in_the_header_is_checked_before_the_body(site: Running, wires: Wires) -> None:
    browser = site.browser()
    await browser.get("/onboarding")
    await browser.post("/auth/guest", name="Ann", gender="female", adult="true")
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    lines = (f"Cookie: {cookies}", "X-XSRFToken: forged", f"Content-Length: {8 * MEGABYTE}")
    wire = await wires.post("/media/selfie", MULTIPART, None, *lines)
    assert (await wire.answer())[0] == 403


async def test_a_selfie_after_a_413_on_one_connection(
    site: Running, person: MakePerson, wires: Wires
) -> None:
    ann = await person("Ann", selfie=False)
    wire = await wires.post("/media/selfie", MULTIPART, ann.token, f"Content-Length: {20 * MEGABYTE}")
    await wire.send(bytes(20 * MEGABYTE))
    assert (await wire.answer())[0] == 413
    body, kind = multipart("selfie", "me.jpg", "image/jpeg", jpeg())
    head = f"POST /media/selfie HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ann.token}\r\n"
    head += f"Accept: application/json\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    await wire.send(head.encode() + body)
    assert (await wire.answer())[0] == 201


@pytest.mark.parametrize("size", [8 * MEGABYTE + 1, 8 * MEGABYTE + 80 * 1024, 60 * MEGABYTE])
async def test_a_long_selfie_is_the_same_error_at_every_length(
    site: Running, person: MakePerson, wires: Wires, size: int
) -> None:
    """Noticed in the file, in the body, and in the head."""
    body, kind = multipart("selfie", "a.jpg", "image/jpeg", bytes(size))
    token = (await person()).token
    for line in (f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"):
        wire = await wires.post("/media/selfie", kind, token, line)
        whole = body if line.startswith("C") else b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        sending = asyncio.ensure_future(wire.send(whole))
        status, problem = await wire.answer()
        sending.cancel()
        await asyncio.wait([sending])
        text = "A photo may have at most 8 MB."
        assert (status, json.loads(problem)["error"]) == (
            413, {"code": "too_large", "message": text, "fields": {"selfie": text}},
        )  # fmt: skip


async def test_the_slowest_upload_gives_way_with_an_answer(
    site: Running, person: MakePerson, wires: Wires, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.profiles.uploads, "NEW_SECONDS", -1.0)
    places = Uploads(site.config.data_dir, 1)
    monkeypatch.setattr(site.models.selfies, "uploads", places)
    body, kind = multipart("selfie", "a.jpg", "image/jpeg", jpeg())
    ann = (await person(selfie=False)).token
    wire = await wires.post("/media/selfie", kind, ann, f"Content-Length: {len(body)}")
    await wire.send(body[:-100])
    await until(lambda: len(places) == 1)
    other = places.open("ben", "203.0.113.1", print)
    status, problem = await wire.answer()
    assert (status, b"the slowest" in problem, len(places)) == (503, True, 1)
    places.close(other)
    again = await wires.post("/media/selfie", kind, ann, f"Content-Length: {len(body)}")
    await again.send(body)
    assert (await again.answer())[0] == 201
