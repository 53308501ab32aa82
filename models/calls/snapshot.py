"""The snapshot for a seat that is taken: the peer, the newest lines, the shared contacts.

It is one statement, run after the seat has subscribed to the call's events, so every line is either in the
snapshot or arrives as an event.
"""

from __future__ import annotations

import msgspec

from models.calls.call import Call, other
from models.calls.chat import NEWEST, ChatLine
from models.calls.state import Side
from models.messages import Message, Person
from models.postgres.database import Db
from models.profiles.users import Profile


class _SnapshotRow(msgspec.Struct, frozen=True):
    peer: Profile | None
    lines: list[ChatLine]
    has_more: bool
    shared: dict[str, str] | None


class Snapshot(msgspec.Struct, frozen=True):
    """`peer` is None once deleted; `shared` holds the peer's handles once both agreed."""

    peer: Person | None
    # The newest lines; `has_more` if there are older ones.
    messages: list[Message]
    has_more: bool
    shared: dict[str, str] | None


class Snapshots:
    def __init__(self, db: Db) -> None:
        self._sql = db.statements("calls.snapshot")

    async def of(self, call: Call, side: Side) -> Snapshot:
        mine, peer = call.user_on(side), call.user_on(other(side))
        row = await self._sql.one(
            "of", _SnapshotRow, call_id=call.call_id, user_id=mine, peer_id=peer, most=NEWEST
        )
        assert row is not None
        messages = [line.message for line in row.lines]
        return Snapshot(None if row.peer is None else row.peer.person, messages, row.has_more, row.shared)
