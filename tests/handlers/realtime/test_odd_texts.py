"""Half characters, NUL and odd ids in messages: an error, the socket stays open, and nothing is broken."""

from __future__ import annotations

import logging

import pytest

from tests.conftest import MakePerson, Running
from tests.support.scenes import in_call, rows, two

ODD = ['"\\ud800"', '"a\\udfffb"', '"\\u0000"', '"a\\u0000b"']
ON_INVITES = [
    '{"type":%s}', '{"type":"ping","id":%s}', '{"type":"queue:join","id":%s}', '{%s:1,"type":"ping"}',
    '{"type":"call:invite","toUserId":%s,"requestedSeconds":300,"id":"x"}',
    '{"type":"call:invite","toUserId":"x","requestedSeconds":%s,"id":"x"}',
    '{"type":"call:invite","toUserId":"x","requestedSeconds":300,"id":%s}',
    '{"type":"call:accept","inviteId":%s,"requestedSeconds":300}', '{"type":"call:decline","inviteId":%s}',
    '{"type":"call:cancel","inviteId":%s}', '{"type":"call:extend-wait","inviteId":%s}',
]  # fmt: skip
ON_CALLS = [
    '{"type":%s}', '{"type":"chat:message","id":"1","text":%s}', '{"type":"rtc:offer","sdp":%s}',
    '{"type":"chat:message","id":%s,"text":"hi"}', '{"type":"media:state","audio":true,"video":%s}',
    '{"type":"contacts:share","yes":%s}', '{"type":"rtc:connected","id":%s}',
    '{"type":"rtc:ice","candidate":{"a":%s}}',
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
async def test_the_invite_socket_stays_open(
    site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture, odd: str
) -> None:
    people = await two(site, person)
    for form in ON_INVITES:
        people.a.send_raw(form % odd)
    people.a.send("ping", id="last")
    await people.a.receive("pong", id="last")
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("odd", ODD)
async def test_a_call_goes_on(
    site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture, odd: str
) -> None:
    scene = await in_call(site, person)
    for form in ON_CALLS:
        scene.a.send_raw(form % odd)
    scene.a.send("chat:message", text="still here", id="last")
    await scene.a.receive("chat:message", id="last")
    await scene.b.receive("chat:message", text="still here")
    stored = await rows(site.models, "select text from call_messages where call_id = %s", scene.call_id)
    assert [row[0] for row in stored][-1:] == ["still here"]
    assert not [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
