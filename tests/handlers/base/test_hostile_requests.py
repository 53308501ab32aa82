"""URLs, fields, bodies and headers that no browser sends: answered below 500, without a logged error."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterator

import pytest

from handlers.routes import routes
from tests.conftest import MakePerson, Person, Running
from tests.support.people.staff import at_work
from tests.support.raw.http import HOST, RawRequest, answer_to
from tests.support.raw.odd_requests import (
    BODIES,
    FIELDS,
    HEADERS,
    ID,
    JSON_VALUES,
    LEFT_OUT,
    QUERY,
    SEGMENTS,
    TYPES,
    VALUES,
)

AT_ONCE = 8


@pytest.fixture(autouse=True)
def no_faults_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def paths() -> list[str]:
    """Every URL once, with an id, a code or a name where it takes one."""
    groups = {r"[^/]{1,64}": ID, "0-9a-f": ID, "A-Za-z0-9_": "cs_test_1", "0-9A-Z": "A" * 16}
    found = []
    for route in routes():
        path = route.regex.pattern.rstrip("$").replace("(?:([0-9a-f]{12})/)?", "")
        for pattern in re.findall(r"\([^)]*\)", path):
            like = next((value for key, value in groups.items() if key in pattern), None)
            path = path.replace(pattern, like or pattern.strip("()").split("|")[0].replace(".*", "app.js"))
        found.append(path.replace("\\", ""))
    assert len(found) == len(set(found))
    return found


ALL = paths()


async def staff_headers(site: Running) -> tuple[bytes, ...]:
    _, browser = await at_work(site, "Ada", "admin")
    return (b"Accept: text/html", b"Cookie: staff=" + browser.cookies["staff"].encode())


def member_headers(one: Person) -> tuple[bytes, ...]:
    return (b"Accept: application/json", b"Authorization: Bearer " + one.token.encode())


async def headers_for(site: Running, person: MakePerson, paths: list[str]) -> dict[str, tuple[bytes, ...]]:
    """By path: an admin's for the console, elsewhere those of a member who makes no other requests."""
    staff = await staff_headers(site)
    return {
        path: staff if path.startswith("/admin") else member_headers(await person()) for path in paths
    }  # fmt: skip


async def check(site: Running, requests: list[RawRequest], *, may_end: bool = False) -> None:
    """Each is answered below 500; with `may_end`, the connection may also end without an answer."""
    wrong, left = [], iter(requests)

    async def one_after_the_other() -> None:
        for request in left:
            status, whole = await answer_to(site.config.port, request)
            if status >= 500 or not (status or may_end):
                wrong.append((status, request.bytes[:300], whole[:100]))

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    assert wrong == []


# All of them take minutes: `make test` takes an evenly spread sample, `make prove` a fifth.
PART = pytest.mark.parametrize(
    "part", [29, pytest.param(5, marks=[pytest.mark.prove, pytest.mark.gen_test(timeout=3600)])]
)


@PART
async def test_odd_paths(site: Running, person: MakePerson, part: int) -> None:
    heads = sorted({path.rpartition("/")[0] for path in ALL} | {"/static/000000000000", "/static/icons"})
    headers = await headers_for(site, person, heads)
    requests = [
        RawRequest("GET", head.encode() + b"/" + segment, own)
        for head in heads for segment in SEGMENTS for own in ((), headers[head])
    ]  # fmt: skip
    requests = [one for one in requests if one.target.startswith(b"/static")] + requests[::part]
    targets = (b"*", b"//", b"http://x/", b"x", b"/?", b"/#", b"/\xff?\xff")
    await check(site, requests + [RawRequest("GET", target) for target in targets])


@PART
async def test_odd_queries(site: Running, person: MakePerson, part: int) -> None:
    headers = await headers_for(site, person, ALL)
    names = [name.encode() for name in QUERY]
    queries = [b"&".join(name + b"=" + value for name in names) for value in VALUES]
    queries += [name + b"=" + value for name in names for value in VALUES[:5]]
    queries += [b"&" * 900, b"=%00", b"%00=1", b"\xff=\xff", b"a" * 60_000]
    requests = [
        RawRequest("GET", path.encode() + b"?" + query, headers[path])
        for path in ALL if not path.startswith("/ws/") for query in queries
    ]  # fmt: skip
    await check(site, requests[::part])


def posts() -> list[str]:
    return [path for path in ALL if path not in LEFT_OUT and not path.startswith(("/ws/", "/static"))]


@PART
async def test_odd_json(site: Running, person: MakePerson, part: int) -> None:
    headers, kind = await headers_for(site, person, posts()), b"Content-Type: application/json"
    whole = json.dumps(FIELDS)
    bodies = [
        whole.replace(f'"{name}": {json.dumps(FIELDS[name])}', f'"{name}": {value}')
        for name in FIELDS for value in JSON_VALUES
    ]  # fmt: skip
    assert len(set(bodies)) > len(bodies) * 0.9
    requests = [
        RawRequest("POST", path.encode(), (kind, *headers[path]), body.encode())
        for path in posts() for body in bodies
    ]  # fmt: skip
    await check(site, requests[:: part * 6])


@PART
async def test_odd_bodies(site: Running, person: MakePerson, part: int) -> None:
    headers = await headers_for(site, person, posts())
    requests = [
        RawRequest("POST", path.encode(), (b"Content-Type: " + kind, *headers[path]), body)
        for path in posts() for kind in TYPES for body in BODIES
    ]  # fmt: skip
    await check(site, requests[::part])


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
async def test_odd_headers(site: Running, method: str) -> None:
    chosen = [
        "/",
        "/static/app.js",
        "/room/queue",
        f"/media/{ID}",
        "/user/me",
        "/payment/webhook",
        "/ws/invites",
        "/nowhere",
    ]
    requests = [
        RawRequest(method, path.encode(), (header,), b"", () if header.startswith(b"Host") else (HOST,))
        for path in chosen for header in HEADERS
    ]  # fmt: skip
    await check(site, requests, may_end=True)


@pytest.mark.parametrize("method", ["PUT", "TRACE", "CONNECT", "BREW", "get", "\xff", "A" * 5_000])
async def test_odd_methods(site: Running, method: str) -> None:
    await check(site, [RawRequest(method, path.encode()) for path in ALL], may_end=True)
