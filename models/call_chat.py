"""Chat lines of a call: relayed at once, kept with the call, never lost, never twice.

The sender repeats a line with the same client id until it is answered; the row is unique per call, sender and
client id, so a repeat finds its
own line again. Text is 1-500 characters, kept as sent, shown as text only.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from models.call_record import Call, other
from models.clock import Clock
from models.db import Db
from models.errors import Conflict, Invalid
from models.ids import new_id
from models.messages import ChatTold, Message, instant
from models.news import News
from models.visible_text import is_visible

MOST_CHARACTERS = 500
UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")


class Line(msgspec.Struct, frozen=True):
    message_id: str
    sender_id: str
    text: str
    sent_at: datetime
    is_new: bool = True

    @property
    def message(self) -> Message:
        return Message(
            message_id=self.message_id, sender_id=self.sender_id, text=self.text, at=instant(self.sent_at)
        )


class CallChat:
    def __init__(self, db: Db, clock: Clock, news: News) -> None:
        self._sql = db.statements("call_chat")
        self._clock = clock
        self._news = news

    async def say(self, call: Call, sender_id: str, client_id: str, text: str) -> ChatTold:
        """Keeps and relays one line; gives the sender's answer. Raises Invalid, or Conflict when the call has
        ended.
        """
        clean = _checked(text)
        line = await self._sql.one(
            "say", Line, message_id=new_id(), call_id=call.call_id, sender_id=sender_id, client_id=client_id,
            text=clean, now=self._clock.frozen,
        )  # fmt: skip
        if line is None:
            raise Conflict("The call has ended.")
        told = ChatTold(
            message_id=line.message_id, sender_id=sender_id, text=line.text, at=instant(line.sent_at)
        )
        if line.is_new:
            self._news.to_call(call.call_id, told, side=other(call.side_of(sender_id)))
        return msgspec.structs.replace(told, id=client_id)

    async def of_call(self, call_id: str) -> list[Message]:
        """All lines in order: part of `call:state`, so that a reconnect shows what was missed."""
        lines = await self._sql.all("of_call", Line, call_id=call_id)
        return [line.message for line in lines]


def _checked(text: str) -> str:
    if not is_visible(text) or len(text) > MOST_CHARACTERS:
        raise Invalid(text=f"Write 1 to {MOST_CHARACTERS} characters.")
    if UNSHOWABLE.search(text):
        raise Invalid(text="This text holds characters that cannot be shown.")
    return text
