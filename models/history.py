"""A person's ended calls, newest first, with the lines they wrote. Both parties read the same row; a deleted
partner is nobody.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from models.db import Db
from models.errors import Invalid
from models.handles import Contact, contacts_of
from models.ids import is_id
from models.members import media_url
from models.messages import Message, Person, instant

PAGE = 20


class Line(msgspec.Struct, frozen=True):
    message_id: str
    sender_id: str
    text: str
    at: datetime
    is_mine: bool


class PastCall(msgspec.Struct, frozen=True):
    """`partner` is None once deleted; `cooldown_until` is None when the pair may call again."""

    call_id: str
    partner: Person | None
    started_at: datetime
    connected_seconds: int
    ended_reason: str
    cooldown_until: datetime | None
    messages: list[Line]
    # What the partner has given, once both said yes.
    contacts: list[Contact] | None = None


class PastCalls(msgspec.Struct, frozen=True):
    calls: list[PastCall]
    next_cursor: str | None

    @property
    def call_ids(self) -> list[str]:
        return [call.call_id for call in self.calls]

    @property
    def partner_ids(self) -> list[str]:
        return [call.partner.user_id for call in self.calls if call.partner]

    def with_contacts(self, shared: Mapping[str, Mapping[str, str]]) -> PastCalls:
        """Call -> handles, as `models.contacts` gives them."""
        calls = [
            msgspec.structs.replace(call, contacts=contacts_of(shared[call.call_id]))
            if call.call_id in shared
            else call
            for call in self.calls
        ]
        return PastCalls(calls, self.next_cursor)


class Row(msgspec.Struct, frozen=True):
    call_id: str
    started_at: datetime
    connected_ms: int
    ended_reason: str
    partner_id: str
    partner_name: str
    partner_gender: str
    partner_selfie_id: str | None
    is_deleted: bool
    cooldown_until: datetime | None


class LineRow(msgspec.Struct, frozen=True):
    call_id: str
    message_id: str
    sender_id: str
    text: str
    sent_at: datetime


class History:
    def __init__(self, db: Db) -> None:
        self._sql = db.statements("history")

    async def page(self, user_id: str, cursor: str | None = None) -> PastCalls:
        """Twenty calls in two statements. Raises Invalid for a cursor that is not ours."""
        before_at, before_id = _read_cursor(cursor) if cursor else (datetime.max.replace(tzinfo=UTC), "")
        rows = await self._sql.all(
            "page", Row, user_id=user_id, before_at=before_at, before_id=before_id or None, most=PAGE + 1
        )
        shown = rows[:PAGE]
        lines = await self._lines([row.call_id for row in shown])
        calls = [
            _past(row, [line for line in lines if line.call_id == row.call_id], user_id) for row in shown
        ]
        return PastCalls(calls, _cursor(shown[-1]) if len(rows) > PAGE else None)

    async def of_call(self, user_id: str, call_id: str) -> PastCall | None:
        """One ended call of this person."""
        rows = await self._sql.all("one", Row, user_id=user_id, call_id=call_id)
        return _past(rows[0], await self._lines([call_id]), user_id) if rows else None

    async def _lines(self, call_ids: list[str]) -> list[LineRow]:
        return await self._sql.all("lines", LineRow, call_ids=call_ids) if call_ids else []


def wire_calls(past: PastCalls) -> dict[str, object]:
    """`{calls: […], nextCursor}`; a call has `contacts` once both have shared theirs."""
    calls = [
        ({} if call.contacts is None else {"contacts": {one.network: one.handle for one in call.contacts}})
        | {
            "callId": call.call_id,
            "partner": call.partner,
            "startedAt": instant(call.started_at),
            "connectedSeconds": call.connected_seconds,
            "endedReason": call.ended_reason,
            "messages": [
                Message(message_id=li.message_id, sender_id=li.sender_id, text=li.text, at=instant(li.at))
                for li in call.messages
            ],
        }
        for call in past.calls
    ]
    return {"calls": calls, "nextCursor": past.next_cursor}


def _past(row: Row, lines: list[LineRow], user_id: str) -> PastCall:
    partner = Person(
        user_id=row.partner_id,
        name=row.partner_name,
        gender=row.partner_gender,
        selfie_url=media_url(row.partner_selfie_id),
    )
    return PastCall(
        call_id=row.call_id,
        partner=None if row.is_deleted else partner,
        started_at=row.started_at,
        connected_seconds=row.connected_ms // 1000,
        ended_reason=row.ended_reason,
        cooldown_until=row.cooldown_until,
        messages=[
            Line(li.message_id, li.sender_id, li.text, li.sent_at, li.sender_id == user_id) for li in lines
        ],
    )


def _cursor(row: Row) -> str:
    return (
        base64.urlsafe_b64encode(f"{row.started_at.isoformat()}|{row.call_id}".encode()).decode().rstrip("=")
    )


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, _, call_id = base64.urlsafe_b64decode(cursor[:200] + "==").decode().partition("|")
        instant_at = datetime.fromisoformat(at)
        if not is_id(call_id) or instant_at.tzinfo is None:
            raise ValueError
        return instant_at, call_id
    except (ValueError, binascii.Error) as error:
        raise Invalid(cursor="This cursor is not one of ours. Start again without it.") from error
