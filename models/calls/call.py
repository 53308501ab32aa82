"""A call's record: its two users and its progress (`models.calls.state`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from models.calls.state import CallState, Side
from models.errors import NotFound


class Call(msgspec.Struct, frozen=True):
    """One row of `calls`."""

    call_id: str
    caller_id: str
    callee_id: str
    version: int
    started_at: datetime
    progress: CallState

    @property
    def agreed_seconds(self) -> int:
        return self.progress.agreed_seconds

    @property
    def people(self) -> tuple[str, str]:
        return self.caller_id, self.callee_id

    @property
    def connected_seconds(self) -> int:
        return (self.progress.connected_ms or 0) // 1000

    def side_of(self, user_id: str) -> Side:
        """Raises: NotFound if the user is not in this call."""
        if user_id == self.caller_id:
            return "caller"
        if user_id == self.callee_id:
            return "callee"
        raise NotFound("There is no such call of yours.")

    def user_on(self, side: Side) -> str:
        return self.caller_id if side == "caller" else self.callee_id

    def peer_of(self, user_id: str) -> str:
        """The other user's id. Raises: NotFound if the user is not in this call."""
        return self.user_on(other(self.side_of(user_id)))

    def is_polite(self, side: Side) -> bool:
        return is_polite(self.call_id, side)


class NewCall(msgspec.Struct, frozen=True):
    """A call that is about to be inserted by `accept`."""

    invite_id: str
    call_id: str
    caller_id: str
    callee_id: str
    now: datetime
    progress: CallState

    @property
    def call(self) -> Call:
        """The call as it is stored."""
        return Call(self.call_id, self.caller_id, self.callee_id, 0, self.now, self.progress)

    def as_values(self) -> dict[str, Any]:
        return {
            "invite_id": self.invite_id, "call_id": self.call_id, "caller_id": self.caller_id,
            "callee_id": self.callee_id, "agreed_seconds": self.progress.agreed_seconds,
            "remaining_ms": self.progress.remaining_ms, "connect_by": self.progress.connect_by,
            "due_at": self.progress.due_at, "now": self.now,
        }  # fmt: skip


class _Identity(msgspec.Struct, frozen=True):
    call_id: str
    caller_id: str
    callee_id: str
    version: int
    started_at: datetime


def is_polite(call_id: str, side: Side) -> bool:
    """The polite role of perfect negotiation: derived from the call id, so a reload does not change it."""
    return (int(call_id[0], 16) % 2 == 0) == (side == "caller")


def other(side: Side) -> Side:
    return "callee" if side == "caller" else "caller"


def read_call(row: dict[str, object]) -> Call:
    who = msgspec.convert(row, _Identity)
    progress = msgspec.convert(row, CallState)
    return Call(who.call_id, who.caller_id, who.callee_id, who.version, who.started_at, progress)
