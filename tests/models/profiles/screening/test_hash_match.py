"""The external matching service: signed requests, its answers, and its failures."""

from __future__ import annotations

import hashlib
import hmac
import io
import logging
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from models.profiles.screening.hash_match import MOST_ANSWER, HashMatch
from models.profiles.screening.screening import REFUSED
from tests.conftest import MakePerson, MakeSite, Running, jpeg
from tests.support.media.clips import clip

SECRET = "a secret of sixteen characters"


class Service(RequestHandler):
    """Checks the signature, and gives the answer that the test has chosen."""

    def initialize(self, seen: list[Any], answers: list[Any]) -> None:
        self.seen, self.answers = seen, answers

    def post(self) -> None:
        at, _, signed = self.request.headers["X-Napalmsky-Signature"].partition(",")
        text = at.removeprefix("t=").encode() + b"." + self.request.body
        expected = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
        self.seen.append((self.request.headers["X-Napalmsky-Kind"], signed == f"v1={expected}"))
        status, body = self.answers[0]
        self.set_status(status)
        if status == 302:
            self.set_header("Location", "/again")
        self.finish(body)


@pytest.fixture
def service(io_loop: Any) -> Any:
    seen: list[Any] = []
    answers: list[Any] = [(200, '{"match": false}')]
    server = HTTPServer(Application([("/.*", Service, {"seen": seen, "answers": answers})]))
    socket, port = bind_unused_port()
    server.add_socket(socket)
    yield f"http://127.0.0.1:{port}/match", seen, answers
    server.stop()
    io_loop.run_sync(server.close_all_connections)


async def with_service(make_site: MakeSite, url: str, action: str) -> Running:
    return await make_site(hash_match_url=url, hash_match_secret=SECRET, hash_match_action=action)


async def test_each_new_picture_and_video_is_sent_signed(
    make_site: MakeSite, person: MakePerson, service: Any
) -> None:
    url, seen, _ = service
    site = await with_service(make_site, url, "refuse")
    ann = await person("Ann")
    assert (await site.client.upload("/media/selfie", "selfie", jpeg(), token=ann.token)).status == 201
    assert (await site.client.upload("/media/video", "video", clip(), token=ann.token)).status == 201
    assert seen == [("selfie", True), ("video", True)]


@pytest.mark.parametrize(("action", "status", "flags"), [("refuse", 422, 0), ("flag", 201, 1)])
async def test_a_match_is_refused_or_flagged(
    make_site: MakeSite, person: MakePerson, service: Any, action: str, status: int, flags: int
) -> None:
    url, _, answers = service
    answers[0] = (200, '{"match": true}')
    site = await with_service(make_site, url, action)
    ann = await person("Ann")
    answer = await site.client.upload("/media/selfie", "selfie", jpeg(), token=ann.token)
    assert answer.status == status
    assert status != 422 or answer.json["error"]["fields"] == {"selfie": REFUSED}
    assert [one.cause for one in await site.models.screening.flags_of(ann.user_id)] == ["service"] * flags


@pytest.mark.parametrize(
    "answer",
    [
        (500, ""),
        (302, ""),
        (200, "yes"),
        (200, '{"match": "true"}'),
        (200, " " * MOST_ANSWER + '{"match": true}'),
    ],
    ids=["500", "redirect", "no JSON", "no boolean", "too long"],
)
async def test_any_other_answer_is_no_match_and_logged(
    make_site: MakeSite, service: Any, caplog: pytest.LogCaptureFixture, answer: tuple[int, str]
) -> None:
    url, seen, answers = service
    answers[0] = answer
    site = await with_service(make_site, url, "refuse")
    with caplog.at_level(logging.WARNING):
        assert not await HashMatch(site.models.clock, site.config).is_match(jpeg(), "selfie")
    assert "HASH_MATCH_URL: a picture was not compared" in caplog.text
    assert url not in caplog.text
    assert len(seen) == 1


async def test_a_dead_service_and_none_at_all(make_site: MakeSite) -> None:
    nobody, port = bind_unused_port()
    nobody.close()
    dead = await with_service(make_site, f"http://127.0.0.1:{port}/", "refuse")
    off = await make_site()
    for site in (dead, off):
        assert not await HashMatch(site.models.clock, site.config).is_match(
            io.BytesIO(jpeg()).read(), "selfie"
        )
