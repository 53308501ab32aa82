"""JsonStruct messages: what is read, what is refused, and how the rest is written."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import messages
from models.errors import BadRequest
from models.messages import CallCancelled, CallDeclined, CallInvite, ChatMessage, Ping, QueueHidden


def test_commands_are_read_by_their_type() -> None:
    assert messages.parse_invite(b'{"type":"ping","id":"1","more":[]}') == Ping(id="1")
    assert messages.parse_invite(b'{"hidden":true,"type":"queue:hidden"}') == QueueHidden(hidden=True)
    said = messages.parse_relay(b'{"type":"chat:message","text":"x","id":"7"}')
    assert said == ChatMessage(text="x", id="7")


def test_an_invite_takes_any_json_for_the_contract_answers_with_a_reason() -> None:
    read = messages.parse_invite(b'{"type":"call:invite","toUserId":[1],"requestedSeconds":{"a":null}}')
    assert read == CallInvite(to_user_id=[1], requested_seconds={"a": None})


@pytest.mark.parametrize("parse", [messages.parse_invite, messages.parse_relay, messages.head])
@pytest.mark.parametrize(
    "frame",
    [b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff", b'{"type":7}', b"{'type':'ping'}", b'{"type":"ping"',
     b"[" * 100_000, b'{"type":' + b"9" * 5000 + b"}", b'{"type":"ping","id":3}'],
)  # fmt: skip
def test_what_cannot_be_read_is_a_bad_request(parse: object, frame: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(frame)  # type: ignore[operator]


@pytest.mark.parametrize("frame", [b"{}", b'{"type":"x"}', b'{"type":"call:state"}', b'{"type":"Ping"}'])
def test_unknown_types_are_refused(frame: bytes) -> None:
    for parse in (messages.parse_invite, messages.parse_relay):
        with pytest.raises(BadRequest):
            parse(frame)


def test_the_commands_of_one_socket_are_not_those_of_the_other() -> None:
    with pytest.raises(BadRequest):
        messages.parse_relay(b'{"type":"queue:join"}')
    with pytest.raises(BadRequest):
        messages.parse_invite(b'{"type":"call:end"}')


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists))
def test_whatever_json_comes_the_answer_is_a_command_or_a_bad_request(value: object) -> None:
    for frame in (
        json.dumps(value),
        json.dumps({"type": value}),
        json.dumps({"type": "call:accept", "id": value}),
    ):
        for parse in (messages.parse_invite, messages.parse_relay, messages.head):
            with contextlib.suppress(BadRequest):
                parse(frame.encode())  # type: ignore[operator]


def test_names_are_camel_case_and_what_is_absent_is_left_out() -> None:
    told = messages.encode(CallDeclined(reason="busy"))
    assert msgspec.json.decode(told) == {"type": "call:declined", "reason": "busy"}
    told = messages.encode(CallCancelled(invite_id="i", reason="gone", id="7"))
    assert msgspec.json.decode(told) == {
        "type": "call:cancelled", "inviteId": "i", "reason": "gone", "id": "7",
    }  # fmt: skip


def test_instants_are_utc_with_milliseconds_and_z() -> None:
    at = datetime(2026, 5, 1, 12, 0, 0, 7_999, tzinfo=UTC)
    assert messages.instant(at) == "2026-05-01T12:00:00.007Z"
    assert messages.instant(at.astimezone(timezone(timedelta(hours=-3)))) == "2026-05-01T12:00:00.007Z"
    assert messages.epoch_ms(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1000
