"""A user's ended calls with their chat lines, newest first.

Both users read the same row. A deleted partner has no name or picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from models.calls.chat import ChatLine, fitting
from models.cursors import cursor_of, read_cursor
from models.messages import Message, Person, instant, media_url
from models.postgres.database import Db
from models.profiles.handles import Contact, contacts_of

PAGE = 20
# Limits per call; the other lines are on the call's own page of messages.
MOST_LINES, MOST_LINE_BYTES = 50, 40_000


class HistoryLine(msgspec.Struct, frozen=True):
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
    messages: list[HistoryLine]
    # The URL of the next page of lines, if there is one.
    more_messages_url: str | None = None
    # The partner's contacts, once both agreed.
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
        """Adds contacts from a mapping of call id -> handles (`models.calls.contacts`)."""
        calls = [
            msgspec.structs.replace(call, contacts=contacts_of(shared[call.call_id]))
            if call.call_id in shared
            else call
            for call in self.calls
        ]
        return PastCalls(calls, self.next_cursor)


class HistoryRow(msgspec.Struct, frozen=True):
    call_id: str
    started_at: datetime
    connected_ms: int
    ended_reason: str
    partner_id: str
    partner_name: str
    partner_gender: str
    partner_selfie_id: str | None
    partner_kind: str
    is_deleted: bool
    cooldown_until: datetime | None


class HistoryLineRow(ChatLine, frozen=True, kw_only=True):
    call_id: str


class History:
    def __init__(self, db: Db) -> None:
        self._sql = db.statements("calls.history")

    async def page(self, user_id: str, cursor: str | None = None) -> PastCalls:
        """Twenty calls, in two statements. Raises: Invalid for a malformed cursor."""
        before_at, before_id = read_cursor(cursor) if cursor else (datetime.max.replace(tzinfo=UTC), "")
        rows = await self._sql.all(
            "page",
            HistoryRow,
            user_id=user_id,
            before_at=before_at,
            before_id=before_id or None,
            most=PAGE + 1,
        )
        shown = rows[:PAGE]
        lines = await self._lines([row.call_id for row in shown])
        calls = [_past(row, lines[row.call_id], user_id) for row in shown]
        return PastCalls(
            calls, cursor_of(shown[-1].started_at, shown[-1].call_id) if len(rows) > PAGE else None
        )

    async def _lines(self, call_ids: list[str]) -> Mapping[str, list[ChatLine]]:
        found: defaultdict[str, list[ChatLine]] = defaultdict(list)
        limits: dict[str, Any] = {"most": MOST_LINES, "most_bytes": MOST_LINE_BYTES}
        for line in (
            await self._sql.all("lines", HistoryLineRow, call_ids=call_ids, **limits) if call_ids else ()
        ):
            found[line.call_id].append(line)
        return found


def wire_calls(past: PastCalls) -> dict[str, object]:
    """`{calls: […], nextCursor}`; a call has `contacts` once both have shared theirs."""
    return {"calls": [_wire(call) for call in past.calls], "nextCursor": past.next_cursor}


def _wire(call: PastCall) -> dict[str, object]:
    body: dict[str, object] = {
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
    if call.more_messages_url is not None:
        body["moreMessagesUrl"] = call.more_messages_url
    if call.contacts is not None:
        body["contacts"] = {one.network: one.handle for one in call.contacts}
    return body


def _past(row: HistoryRow, lines: list[ChatLine], user_id: str) -> PastCall:
    first = fitting(lines, MOST_LINES)
    partner = Person(
        user_id=row.partner_id,
        name=row.partner_name,
        gender=row.partner_gender,
        selfie_url=media_url(row.partner_selfie_id),
        is_robot=row.partner_kind != "person",
    )
    return PastCall(
        call_id=row.call_id,
        partner=None if row.is_deleted else partner,
        started_at=row.started_at,
        connected_seconds=row.connected_ms // 1000,
        ended_reason=row.ended_reason,
        cooldown_until=row.cooldown_until,
        messages=own_lines(first.lines, user_id),
        more_messages_url=messages_url(row.call_id, first.next_cursor),
    )


def own_lines(lines: list[ChatLine], user_id: str) -> list[HistoryLine]:
    """The lines as this user sees them."""
    return [
        HistoryLine(li.message_id, li.sender_id, li.text, li.sent_at, li.sender_id == user_id) for li in lines
    ]


def messages_url(call_id: str, cursor: str | None) -> str | None:
    return None if cursor is None else f"/calls/{call_id}/messages?cursor={cursor}"
