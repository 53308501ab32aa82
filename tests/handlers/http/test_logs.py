"""Logs: one JSON object per line, without anything that a user sent."""

from __future__ import annotations

import contextvars
import io
import json
import logging
import re

from handlers.http.logs import JsonLines, TextLines, WithoutValues, begin_request
from tests.conftest import MakePerson, Running
from tests.support.scenes import in_call


def line_of(record: logging.LogRecord) -> dict[str, object]:
    text = JsonLines().format(record)
    assert "\n" not in text
    read: dict[str, object] = json.loads(text)
    return read


def test_a_record_is_an_object_with_its_extras() -> None:
    logger = logging.Logger("napalmsky.x")
    record = logger.makeRecord(
        "napalmsky.x", logging.WARNING, "f", 1, "two\nlines %s", ("é",), None, extra={"a": 1}
    )
    line = line_of(record)
    assert line.pop("at")
    assert line == {"level": "warning", "logger": "napalmsky.x", "message": "two\nlines é", "a": 1}


def test_a_traceback_stays_on_the_line_and_unusual_extras_are_text() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
        record = logging.Logger("x").makeRecord("x", logging.ERROR, "f", 1, "m", (), info, extra={"o": {1}})
    line = line_of(record)
    assert "ValueError: no" in str(line["traceback"])
    assert line["o"] == "{1}"


async def test_a_whole_call_leaves_nothing_private_in_the_log(site: Running, person: MakePerson) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        scene = await in_call(site, person)
        scene.a.send("rtc:offer", sdp="private-sdp")
        scene.a.send("chat:message", text="private-text", id="1")
        await scene.b.receive("chat:message")
        await site.client.get("/history?cursor=private-query", token=scene.people.anna.token)
        await site.client.post("/auth/guest", {"name": "private-name", "gender": "x", "adult": True})
        scene.a.send_raw('{"type":"private-type"}')
        await scene.end()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    logged = stream.getvalue()
    tokens = [scene.people.anna.token, scene.people.ben.token]
    assert [word for word in ("private", *tokens) if word in logged] == []


def test_a_warning_of_tornado_shows_no_value_and_is_logged_once_a_minute() -> None:
    """Tornado's own words for a header with a control character: the token is in the error."""
    only = WithoutValues()
    token = "Invalid header value 'Bearer secret\x01'"
    records = [
        logging.Logger("x").makeRecord(
            "tornado.general",
            logging.INFO,
            "f",
            1,
            "Malformed HTTP message from %s: %s",
            (address, token),
            None,
        )
        for address in ("127.0.0.1", "127.0.0.2")
    ]
    assert [only.filter(record) for record in records] == [True, False]
    assert line_of(records[0])["message"] == "Malformed HTTP message from …: …"


def test_lines_of_one_request_have_its_id() -> None:
    def told() -> str | None:
        begin_request()
        return line_of(logging.makeLogRecord({"msg": "It works"})).get("request")

    one, two = contextvars.copy_context().run(told), contextvars.copy_context().run(told)
    assert one
    assert two
    assert one != two
    assert "request" not in line_of(logging.makeLogRecord({"msg": "outside"}))


def test_lines_for_a_person() -> None:
    record = logging.makeLogRecord({"msg": "It is up", "levelname": "INFO", "workers": 2})
    assert re.fullmatch(r"\d\d:\d\d:\d\d info    It is up  workers=2", TextLines().format(record))
