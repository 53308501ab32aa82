"""The doctor on other services: alerts, the matching of pictures, the certificate authority."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from handlers.commands.doctor import examine
from tests.conftest import MakeSite, Running
from tests.handlers.commands.test_doctor import Environment, environment, of, wrongs

__all__ = ["environment"]  # A fixture.
SECRET = "a secret of sixteen characters"
NO_ONE = "http://127.0.0.1:1"


class Service(RequestHandler):
    """Keeps what it is sent, and gives the answer that the test has chosen."""

    def initialize(self, seen: list[bytes], answers: list[Any]) -> None:
        self.seen, self.answers = seen, answers

    def post(self) -> None:
        self.seen.append(self.request.body)
        status, body = self.answers[0]
        self.set_status(status)
        self.finish(body or None)

    get = post


class Listening:
    def __init__(self, status: int, body: str) -> None:
        self.seen: list[bytes] = []
        self.answers = [(status, body)]
        self.server = HTTPServer(
            Application([("/.*", Service, {"seen": self.seen, "answers": self.answers})])
        )
        socket, port = bind_unused_port()
        self.server.add_socket(socket)
        self.url = f"http://127.0.0.1:{port}/service?token=hidden"


@pytest.fixture
def service(io_loop: IOLoop) -> Iterator[Listening]:
    made = Listening(200, "")
    yield made
    made.server.stop()
    io_loop.run_sync(made.server.close_all_connections)


@pytest.mark.parametrize(("status", "found"), [(204, []), (404, [("alerts", "ALERT_WEBHOOK_URL")])])
async def test_a_test_alert_is_sent(
    site: Running, environment: Environment, service: Listening, status: int, found: list[tuple[str, str]]
) -> None:
    service.answers[0] = (status, "")
    lines = await examine(of(site, environment, ALERT_WEBHOOK_URL=service.url))
    assert wrongs(lines) == found
    assert "hidden" not in str(lines)
    (body,) = map(json.loads, service.seen)
    assert body["alerts"] == []
    assert "doctor" in body["text"] == body["content"]


async def test_alerts_that_reach_no_one(site: Running, environment: Environment) -> None:
    lines = await examine(of(site, environment, ALERT_WEBHOOK_URL=NO_ONE))
    assert wrongs(lines) == [("alerts", "ALERT_WEBHOOK_URL")]


async def test_no_alert_without_the_call(site: Running, environment: Environment, service: Listening) -> None:
    """The daily list has neither."""
    lines = await examine(of(site, environment, ALERT_WEBHOOK_URL=service.url), has_call=False)
    assert [line.state for line in lines if line.check == "alerts"] == ["skipped"]
    assert service.seen == []


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ((200, '{"match": false}'), []),
        ((200, '{"match": true}'), [("matching", "HASH_MATCH_URL")]),
        ((200, "<html>"), [("matching", "HASH_MATCH_URL")]),
        ((401, ""), [("matching", "HASH_MATCH_SECRET")]),
        ((500, ""), [("matching", "HASH_MATCH_URL")]),
    ],
)
async def test_the_matching_of_pictures(
    site: Running,
    environment: Environment,
    service: Listening,
    answer: tuple[int, str],
    found: list[tuple[str, str]],
) -> None:
    service.answers[0] = answer
    settings = {"HASH_MATCH_URL": service.url, "HASH_MATCH_SECRET": SECRET}
    lines = await examine(of(site, environment, **settings), has_call=False)
    assert wrongs(lines) == found
    assert "hidden" not in str(lines)
    assert service.seen[0].startswith(b"\xff\xd8\xff")


async def test_a_service_that_matches_everything_is_not_taken_for_the_proxy(
    make_site: MakeSite, environment: Environment, service: Listening
) -> None:
    """With HASH_MATCH_ACTION=refuse no user gets a selfie."""
    service.answers[0] = (200, '{"match": true}')
    ours = {"hash_match_url": service.url, "hash_match_secret": SECRET, "hash_match_action": "refuse"}
    site = await make_site(**ours)
    settings = {name.upper(): value for name, value in ours.items()}
    lines = await examine(of(site, environment, **settings), has_call=False)
    assert wrongs(lines) == [("matching", "HASH_MATCH_URL"), ("upload", "site")]


async def test_a_matching_service_that_is_not_there(site: Running, environment: Environment) -> None:
    settings = {"HASH_MATCH_URL": NO_ONE, "HASH_MATCH_SECRET": SECRET}
    lines = await examine(of(site, environment, **settings), has_call=False)
    assert wrongs(lines) == [("matching", "HASH_MATCH_URL")]


async def test_a_certificate_authority_that_does_not_answer(environment: Environment) -> None:
    """The reason why there is no certificate, before the missing certificate."""
    ours = {
        "BASE_URL": "https://meet.napalmsky.example", "TLS": "on", "ALLOW_TEST_CHECKOUT": "true",
        "ACME_DIRECTORY": "https://127.0.0.1:1/directory",
    }  # fmt: skip
    found = wrongs(await examine(environment | ours))
    assert found.index(("authority", "ACME_DIRECTORY")) < found.index(("certificate", "BASE_URL"))
