"""Alerts: sent once, in groups, signed, and again after a failure."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest, ResponseStartLine
from tornado.testing import bind_unused_port

from models.mail.alerts import EVERY_SECONDS, MOST_AT_ONCE, QUEUE_EVERY_SECONDS, Alerts
from models.mail.mailer import Mailer
from models.safety.notices import NewNotice
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.account_holders import QUICK
from tests.support.people.reports import report, reporters
from tests.support.scenes import rows
from tests.support.smtp_server import Mailbox

SECRET = "0123456789abcdef"


class Receiver:
    """The other end of the webhook: keeps what it is sent, and answers as it is set."""

    def __init__(self) -> None:
        self.status, self.requests = 200, list[HTTPServerRequest]()
        socket, self.port = bind_unused_port()
        self.server = HTTPServer(self._receive)
        self.server.add_socket(socket)

    def _receive(self, request: HTTPServerRequest) -> None:
        self.requests.append(request)
        assert request.connection
        request.connection.write_headers(ResponseStartLine("", self.status, "x"), request.headers.__class__())
        request.connection.finish()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.requests]


@pytest.fixture
def receiver(io_loop: object) -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.stop()


@pytest.fixture
def config(receiver: Receiver) -> Config:
    url = f"http://127.0.0.1:{receiver.port}/hook?token=x"
    return replace(QUICK, alert_webhook_url=url, alert_webhook_secret=SECRET)


async def test_an_automatic_ban_alerts_the_staff_once(
    models: Models, person: MakePerson, receiver: Receiver
) -> None:
    bad = await person("Bad")
    for one in await reporters(models, person, bad, 4):
        await report(models, one, bad)
    await asyncio.gather(*(models.alerts.send() for _ in range(5)))
    (body,) = receiver.bodies
    waiting, alert = body["alerts"]
    assert (waiting["kind"], waiting["url"]) == ("report", f"{models.config.base_url}/admin/reports")
    url = f"{models.config.base_url}/admin/people/{bad.user_id}"
    assert (alert["kind"], alert["url"]) == ("ban", url)
    assert url in body["text"]
    assert "Bad" not in str(body)
    (request,) = receiver.requests
    at, _, digest = request.headers["X-Napalmsky-Signature"].removeprefix("t=").partition(",v1=")
    assert digest == hmac.new(SECRET.encode(), f"{at}.".encode() + request.body, hashlib.sha256).hexdigest()


async def test_reports_alert_once_an_hour_and_delay_nothing_urgent(
    models: Models, person: MakePerson, receiver: Receiver
) -> None:
    models.clock.freeze(models.clock.now())
    ben, one = await person("Ben"), await person("One")
    await report(models, one, ben)
    await models.alerts.send()
    await report(models, ben, one)
    await models.alerts.raise_alert("ban", "/admin/people/1")
    await models.alerts.send()
    kinds = [[alert["kind"] for alert in body["alerts"]] for body in receiver.bodies]
    assert kinds == [["report"], ["ban"]]
    models.clock.advance(seconds=QUEUE_EVERY_SECONDS + 1)
    await report(models, await person("Late"), ben)
    await models.alerts.send()
    assert [alert["kind"] for alert in receiver.bodies[-1]["alerts"]] == ["report"]


async def test_a_flood_is_one_message_a_minute_and_a_failure_is_repeated(
    models: Models, receiver: Receiver
) -> None:
    models.clock.freeze(models.clock.now())
    receiver.status = 500
    await models.alerts.raise_alert("minor", "/admin/people/1")
    await models.alerts.send()
    await models.alerts.send()
    assert len(receiver.requests) == 1
    receiver.status = 200
    for number in range(3):
        await models.alerts.raise_alert("ban", f"/admin/people/{number}")
    await models.alerts.send()
    assert len(receiver.requests) == 1, "the last message is too recent"
    models.clock.advance(seconds=EVERY_SECONDS)
    await models.alerts.send()
    assert [len(body["alerts"]) for body in receiver.bodies] == [1, 4]
    models.clock.advance(seconds=2 * EVERY_SECONDS)
    await models.alerts.send()
    assert len(receiver.requests) == 2


async def test_a_flood_of_notices_is_one_alert_and_delays_no_other(
    models: Models, receiver: Receiver
) -> None:
    models.clock.freeze(models.clock.now())
    new = NewNotice(kind="minor", where="here", email="a@example.com", has_good_faith=True)

    async def flood() -> None:
        for number in range(MOST_AT_ONCE + 1):
            await models.notices.file(new, f"192.0.2.{number}")

    await flood()
    await models.alerts.raise_alert("ban", "/admin/people/1")
    await models.alerts.send()
    models.clock.advance(seconds=2 * EVERY_SECONDS)
    await flood()
    await models.alerts.send()
    kinds = [[alert["kind"] for alert in body["alerts"]] for body in receiver.bodies]
    assert kinds == [["notice", "ban"], ["notice"]]


async def test_a_dead_webhook_does_not_silence_the_e_mails(
    models: Models, receiver: Receiver, mailbox: Mailbox
) -> None:
    models.clock.freeze(models.clock.now())
    url = f"http://127.0.0.1:{receiver.port}/"
    config = replace(
        QUICK,
        alert_webhook_url=url,
        alert_email="mod@sky.example",
        smtp_url=mailbox.url,
        mail_from="site@sky.example",
    )
    mailer, receiver.status = Mailer(config), 500
    alerts = Alerts(models.db, models.clock, config, mailer)
    await alerts.raise_alert("ban", "/admin/people/1")
    for _ in range(2):
        await alerts.send()
        models.clock.advance(seconds=EVERY_SECONDS)
    receiver.status = 200
    await alerts.send()
    await mailer.close()
    assert mailbox.recipients == ["mod@sky.example"]
    assert "/admin/people/1" in await mailbox.letter()
    assert len(receiver.requests) == 3
    assert await rows(models, "select 1 from alerts where sent_at is null") == []


async def test_urgent_notices_and_hidden_cards_alert(models: Models, person: MakePerson) -> None:
    new = NewNotice(kind="other", where="here", why="so", email="a@example.com", has_good_faith=True)
    await models.notices.file(new, "192.0.2.1")
    await models.notices.file(msgspec.structs.replace(new, kind="minor"), "192.0.2.1")
    ben = await person("Ben")
    for one in await reporters(models, person, ben, 3):
        await report(models, one, ben, "minor")
    assert await rows(models, "select kind, path from alerts order by alert_id") == [
        ("notice", "/admin/notices"),
        ("report", "/admin/reports"),
        ("minor", f"/admin/people/{ben.user_id}"),
    ]
