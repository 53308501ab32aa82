"""Chat lines of a call: relayed immediately, stored with the call, never lost or duplicated.

The sender repeats a line with the same client id until it is acknowledged. The row is unique per call, sender
and client id, so a repeat returns the stored line. A repeat is relayed again too, because the process that
stored the line may have died before it published it; a seat shows each line once. Text has 1 to 500
characters, is stored unchanged and shown as text only. The rate and the number of lines per side are limited;
the limits are counted in the call's row.

Lines of any calls that come in the same tick of the event loop are stored by one statement, which waits for
no locked row. A line that it leaves out has a statement of its own and its own outcome, as a line that comes
alone: a repeat, a limit, an ended call, a locked row or an error. If PostgreSQL is unavailable, all of them
fail.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from math import ceil

import msgspec

from models.broadcasts import Broadcasts
from models.calls.call import Call, other
from models.clock import Clock
from models.concurrency.ticks import Ticks
from models.cursors import cursor_of, read_cursor
from models.errors import Conflict, Invalid, Problem, TooMany, Unavailable
from models.ids import new_id
from models.messages import ChatRelayed, Message, instant
from models.postgres.database import Db
from models.settings.config import Config
from models.visible_text import is_visible

logger = logging.getLogger(__name__)
MOST_CHARACTERS = 500
MOST_TOGETHER = 100
# After a pause, a side may send this many seconds' worth of lines at once.
AHEAD_SECONDS = 20
# In `call:state`: more than both sides can write during a reconnect.
NEWEST = 200
PAGE, PAGE_BYTES = 200, 400_000
FIRST, NO_ID = datetime.min.replace(tzinfo=UTC), "00000000-0000-0000-0000-000000000000"
UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")


class ChatLine(msgspec.Struct, frozen=True):
    message_id: str
    sender_id: str
    text: str
    sent_at: datetime
    # Whether the line still fits on its page.
    is_within: bool = True

    @property
    def message(self) -> Message:
        return Message(
            message_id=self.message_id, sender_id=self.sender_id, text=self.text, at=instant(self.sent_at)
        )


class NewLine(msgspec.Struct, frozen=True):
    message_id: str
    call_id: str
    sender_id: str
    client_id: str
    text: str


class ChatAllowance(msgspec.Struct, frozen=True):
    """How much one side of a call has written; `next_at` is when its next line is accepted."""

    is_ended: bool
    lines: int
    next_at: datetime
    now: datetime


class ChatPage(msgspec.Struct, frozen=True):
    """A part of a conversation, in order; `next_cursor` is None at its end."""

    lines: list[ChatLine]
    next_cursor: str | None


class CallChat:
    def __init__(self, db: Db, clock: Clock, config: Config, broadcasts: Broadcasts) -> None:
        self._sql = db.statements("calls.chat")
        self._clock, self._broadcasts = clock, broadcasts
        self._most = config.chat_messages_per_call
        self._pause_ms = 1000 // config.chat_messages_per_second
        self._ahead_ms = AHEAD_SECONDS * 1000 - self._pause_ms
        self._ticks = Ticks(self._store_together, MOST_TOGETHER)

    async def say(self, call: Call, sender_id: str, client_id: str, text: str) -> ChatRelayed:
        """Stores and relays one line; returns the acknowledgement for the sender.

        Raises: Invalid, TooMany, Conflict (the call has ended).
        """
        new = NewLine(new_id(), call.call_id, sender_id, client_id, _checked(text))
        together = await self._ticks.join((call.call_id, sender_id), new)
        line = together.get(new.message_id) or await self._store(new)
        if line is None:
            raise await self._refusal(call, sender_id)
        message = ChatRelayed(
            message_id=line.message_id, sender_id=sender_id, text=line.text, at=instant(line.sent_at)
        )
        side = other(call.side_of(sender_id))
        self._broadcasts.to_call(call.call_id, message, side=side, once=line.message_id)
        return msgspec.structs.replace(message, id=client_id)

    async def _store(self, new: NewLine) -> ChatLine | None:
        """The stored line, or the one that it repeats. None if the call has ended or a limit is reached."""
        return await self._sql.one(
            "say", ChatLine, message_id=new.message_id, call_id=new.call_id, sender_id=new.sender_id,
            client_id=new.client_id,
            text=new.text, now=self._clock.frozen, most=self._most, pause_ms=self._pause_ms,
            ahead_ms=self._ahead_ms,
        )  # fmt: skip

    async def _store_together(self, lines: list[NewLine]) -> dict[str, ChatLine]:
        """What one statement has stored, by message id. Raises: Unavailable."""
        try:
            stored = await self._sql.all(
                "say_together", ChatLine,
                message_ids=[line.message_id for line in lines],
                call_ids=[line.call_id for line in lines],
                sender_ids=[line.sender_id for line in lines],
                client_ids=[line.client_id for line in lines],
                texts=[line.text for line in lines],
                now=self._clock.frozen, most=self._most, pause_ms=self._pause_ms, ahead_ms=self._ahead_ms,
            )  # fmt: skip
        except Unavailable:
            raise
        except Exception as error:
            # Nothing was written. Each line now has its own outcome: an error, or a line that another process
            # has stored in the same moment.
            logger.warning("chat lines are stored one by one after %s", type(error).__name__)
            return {}
        return {line.message_id: line for line in stored}

    async def _refusal(self, call: Call, sender_id: str) -> Problem:
        share = await self._sql.one(
            "share", ChatAllowance, call_id=call.call_id, sender_id=sender_id, now=self._clock.frozen,
            ahead_ms=self._ahead_ms,
        )  # fmt: skip
        if share is None or share.is_ended:
            return Conflict("The call has ended.")
        if share.lines >= self._most:
            return TooMany(
                f"You have written {self._most} messages, the most in one call.",
                retry_after=call.agreed_seconds,
            )
        wait = ceil((share.next_at - share.now).total_seconds())
        return TooMany("You are sending messages too fast. Please wait a moment.", retry_after=max(1, wait))

    async def of_call(self, call_id: str) -> list[Message]:
        """The newest lines, in order."""
        lines = await self._sql.all("newest", ChatLine, call_id=call_id, most=NEWEST)
        return [line.message for line in lines]

    async def page(self, call_id: str, cursor: str | None = None) -> ChatPage:
        """Lines in order. Raises: Invalid for a malformed cursor."""
        after_at, after_id = read_cursor(cursor) if cursor else (FIRST, NO_ID)
        lines = await self._sql.all(
            "page",
            ChatLine,
            call_id=call_id,
            after_at=after_at,
            after_id=after_id,
            most=PAGE,
            most_bytes=PAGE_BYTES,
        )
        return fitting(lines, PAGE)


def fitting(lines: list[ChatLine], most: int) -> ChatPage:
    """The lines that fit on a page, at least one, and the cursor of the next page."""
    shown = [line for line in lines[:most] if line.is_within] or lines[:1]
    last = shown[-1] if len(shown) < len(lines) else None
    return ChatPage(shown, cursor_of(last.sent_at, last.message_id) if last else None)


def _checked(text: str) -> str:
    if not is_visible(text) or len(text) > MOST_CHARACTERS:
        raise Invalid(text=f"Write 1 to {MOST_CHARACTERS} characters.")
    if UNSHOWABLE.search(text):
        raise Invalid(text="This text contains characters that cannot be shown.")
    return text
