"""Messages at the edge of HTTP/1.1 (RFC 9112): answered or refused with a 4xx, never read as two requests."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import pytest
from tornado.httputil import HTTPHeaders, HTTPInputError, RequestStartLine

from handlers.http.request import normal_start
from tests.conftest import Running

BODY = b'{"name":"Ann","gender":"female","adult":true}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
STATUS = re.compile(rb"HTTP/1\.[01] (\d\d\d)")


def message(
    method: bytes = b"GET",
    target: bytes = b"/healthz",
    *headers: bytes,
    version: bytes = b"HTTP/1.1",
    host: bytes = b"Host: localhost\r\n",
    body: bytes = b"",
) -> bytes:
    return b"%s %s %s\r\n%s%s\r\n%s" % (method, target, version, host, b"".join(headers), body)


def post(*headers: bytes, body: bytes = BODY, version: bytes = b"HTTP/1.1") -> bytes:
    kind = b"Content-Type: application/json\r\nAccept: application/json\r\n"
    return message(b"POST", b"/auth/guest", kind, *headers, body=body, version=version)


def chunks(size: bytes = b"%x" % len(BODY), end: bytes = b"\r\n", last: bytes = b"0\r\n\r\n") -> bytes:
    return size + b"\r\n" + BODY + end + last


LAST = message(b"GET", b"/healthz", b"Connection: close\r\n")
# The statuses of the answers. A message that is refused ends its connection: what follows is not read.
ANSWERS: dict[str, tuple[bytes, list[int]]] = {
    "chunks": (post(CHUNKED, body=chunks()), [201, 200]),
    "upper-case chunks": (post(b"Transfer-Encoding: CHUNKED\r\n", body=chunks()), [201, 200]),
    "trailers": (post(CHUNKED, body=chunks(last=b"0\r\nX-A: 1\r\n\r\n")), [400]),
    "an extension of a chunk": (post(CHUNKED, body=chunks(b"2d;a=b")), [400]),
    "a long extension": (post(CHUNKED, body=chunks(b"2d;a=" + b"x" * 5000)), [400]),
    "a chunk size of many zeros": (post(CHUNKED, body=chunks(b"0" * 200 + b"2d")), [400]),
    "a negative chunk size": (post(CHUNKED, body=chunks(b"-2d")), [400]),
    "a chunk size with a prefix": (post(CHUNKED, body=chunks(b"0x2d")), [400]),
    "a chunk size with a space": (post(CHUNKED, body=chunks(b"2d ")), [400]),
    "a huge chunk size": (post(CHUNKED, body=chunks(b"f" * 17)), [400]),
    "a chunk that ends early": (post(CHUNKED, body=chunks(end=b"xx")), [400]),
    "chunks with bare line feeds": (post(CHUNKED, body=chunks().replace(b"\r\n", b"\n")), [400]),
    "two transfer encodings": (post(CHUNKED, CHUNKED, body=chunks()), [400]),
    "gzip and chunks": (post(b"Transfer-Encoding: gzip, chunked\r\n", body=chunks()), [400]),
    "an unknown transfer encoding": (post(b"Transfer-Encoding: identity\r\n", LENGTH), [400]),
    "chunks and a length": (post(CHUNKED, LENGTH, body=chunks()), [400]),
    "chunks in HTTP/1.0": (post(CHUNKED, body=chunks(), version=b"HTTP/1.0"), [201]),
    "the same length twice": (post(LENGTH, LENGTH), [201, 200]),
    "two lengths": (post(LENGTH, b"Content-Length: 5\r\n"), [400]),
    "a length with a sign": (post(b"Content-Length: +45\r\n"), [400]),
    "a length with an underscore": (post(b"Content-Length: 4_5\r\n"), [400]),
    "an empty length": (post(b"Content-Length: \r\n"), [400]),
    "an enormous length": (post(b"Content-Length: " + b"9" * 5000 + b"\r\n"), [400]),
    "a folded length": (post(b"Content-Length:\r\n 45\r\n"), [400]),
    "a folded header": (message(b"GET", b"/healthz", b"X-A: b\r\n c\r\n"), [400]),
    "a space before the colon": (post(b"Transfer-Encoding : chunked\r\n", LENGTH), [400]),
    "a control character": (post(b"Transfer-Encoding: \x0bchunked\r\n", LENGTH), [400]),
    "NUL in a header": (message(b"GET", b"/healthz", b"X-A: b\0\r\n"), [400]),
    "a header of 63 kB": (message(b"GET", b"/healthz", b"X-A: " + b"a" * 63_000 + b"\r\n"), [200, 200]),
    "a header of 64 KiB": (message(b"GET", b"/healthz", b"X-A: " + b"a" * 65_536 + b"\r\n"), [431]),
    "5,000 headers": (message(b"GET", b"/healthz", b"X-A: b\r\n" * 5000), [200, 200]),
    "two hosts": (message(host=b"Host: localhost\r\nHost: b\r\n"), [400]),
    "no host": (message(host=b""), [400]),
    "no host in HTTP/1.0": (message(host=b"", version=b"HTTP/1.0"), [200]),
    "HTTP/1.0, kept alive": (
        message(b"GET", b"/healthz", b"Connection: keep-alive\r\n", version=b"HTTP/1.0"), [200, 200],
    ),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", [400]),
    "TLS": (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n", [400]),
    "an absolute target": (message(target=b"http://localhost/healthz"), [200, 200]),
    "an absolute target with a port": (message(target=b"HTTPS://localhost:8080/healthz?a"), [200, 200]),
    "an absolute target without a path": (message(b"OPTIONS", b"http://localhost"), [204, 200]),
    "an absolute target and two hosts": (
        message(target=b"http://localhost/healthz", host=b"Host: a\r\nHost: b\r\n"), [400],
    ),
    "OPTIONS of the server": (message(b"OPTIONS", b"*"), [204, 200]),
    "GET of the server": (message(b"GET", b"*"), [400]),
    "CONNECT": (message(b"CONNECT", b"evil.example:443"), [405, 200]),
    "TRACE": (message(b"TRACE"), [405, 200]),
    "an unknown method": (message(b"FOO"), [405, 200]),
    "a lower-case method": (message(b"get"), [405, 200]),
    "a method with a bracket": (message(b"G(T"), [400]),
    "a target without a slash": (message(target=b"healthz"), [400]),
    "a target with a space": (message(target=b"/a b"), [400]),
    "no target": (message(target=b""), [400]),
    "Expect": (post(LENGTH, b"Expect: 100-Continue\r\n"), [100, 201, 200]),
    "Expect in HTTP/1.0": (post(LENGTH, b"Expect: 100-continue\r\n", version=b"HTTP/1.0"), [201]),
    "a body of a GET": (message(b"GET", b"/healthz", LENGTH, body=BODY), [200, 200]),
    "pipelined requests": (message() * 3 + post(LENGTH) * 2, [200, 200, 200, 201, 201, 200]),
    "an early answer and a malformed chunk": (
        message(
            b"POST", b"/media/selfie", b"Accept: application/json\r\nContent-Type: multipart/form-data\r\n",
            b"Authorization: Bearer x\r\n", CHUNKED, body=b"5\r\nhello\r\nzz\r\n",
        ), [401],
    ),
}  # fmt: skip


async def answers_to(site: Running, data: bytes, *, half_closes: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("localhost", site.config.port)
    writer.write(data)
    if half_closes:
        writer.write_eof()
    received = b""
    try:
        async with asyncio.timeout(30):
            while more := await reader.read(65_536):
                received += more
    except ConnectionResetError:
        pass  # Closed with unread input.
    finally:
        writer.transport.abort()
    return received


@pytest.mark.parametrize(("data", "statuses"), ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_odd_message_is_answered(
    site: Running, caplog: pytest.LogCaptureFixture, data: bytes, statuses: list[int]
) -> None:
    received = await answers_to(site, data + LAST)
    assert [int(status) for status in STATUS.findall(received)] == statuses
    if statuses == [400]:
        assert json.loads(received.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("data", [message(), message(target=b"/"), post(LENGTH), message() * 3])
async def test_a_client_that_closes_its_sending_side_gets_the_answer(site: Running, data: bytes) -> None:
    received = await answers_to(site, data, half_closes=True)
    assert len(STATUS.findall(received)) == data.count(b"HTTP/1.1")


async def test_half_a_request_is_not_answered(site: Running) -> None:
    assert await answers_to(site, post(LENGTH)[:-5], half_closes=True) == b""


def test_the_authority_of_a_target_counts() -> None:
    headers = HTTPHeaders({"Host": "a.example"})
    start = normal_start(RequestStartLine("GET", "http://b.example/x?y=http://c/", "HTTP/1.1"), headers)
    assert (start.path, headers["Host"]) == ("/x?y=http://c/", "b.example")
    assert normal_start(RequestStartLine("GET", "http://b.example?x", "HTTP/1.1"), headers).path == "/?x"
    with pytest.raises(HTTPInputError):
        normal_start(RequestStartLine("GET", "ftp://b.example/", "HTTP/1.1"), headers)


@pytest.mark.parametrize("kind", [b"APPLICATION/JSON", b"Application/Json; charset=UTF-8"])
async def test_the_case_of_a_content_type_does_not_matter(site: Running, kind: bytes) -> None:
    sent = message(b"POST", b"/auth/guest", b"Content-Type: %s\r\n" % kind, LENGTH, body=BODY)
    assert STATUS.findall(await answers_to(site, sent + LAST)) == [b"201", b"200"]


@pytest.mark.parametrize("before", [b"", b"Cookie: theme=dark\r\n"])
@pytest.mark.parametrize("after", [b"", b"Cookie: other=1; more=2\r\n"])
async def test_cookies_may_come_in_several_lines(site: Running, before: bytes, after: bytes) -> None:
    """As HTTP/2 sends them (RFC 9113, 8.2.3), and as some proxies pass them on."""
    browser = site.browser()
    await browser.get("/onboarding")
    form = f"_xsrf={browser.xsrf}&name=Ann&gender=female&adult=true".encode()
    cookie = f"Cookie: _xsrf={browser.cookies['_xsrf']}\r\n".encode()
    kind = b"Content-Type: Application/X-WWW-Form-Urlencoded\r\nContent-Length: %d\r\n" % len(form)
    sent = message(b"POST", b"/auth/guest", kind, b"Accept: text/html\r\n", before, cookie, after, body=form)
    assert STATUS.findall(await answers_to(site, sent + LAST)) == [b"303", b"200"]
