"""The snapshot for a seat that is taken: the peer, the newest lines, the shared contacts.

It is read after the seat has subscribed to the call's events, so every line is either in the snapshot or
arrives as an event.
"""

from __future__ import annotations

import msgspec

from models.calls.chat import ChatLine
from models.messages import Message, Person
from models.profiles.users import Profile


class SnapshotRow(msgspec.Struct, frozen=True):
    peer: Profile | None
    lines: list[ChatLine]
    has_more: bool
    shared: dict[str, str] | None

    @property
    def snapshot(self) -> Snapshot:
        peer = None if self.peer is None else self.peer.person
        return Snapshot(peer, [line.message for line in self.lines], self.has_more, self.shared)


class Snapshot(msgspec.Struct, frozen=True):
    """`peer` is None once deleted; `shared` holds the peer's handles once both agreed."""

    peer: Person | None
    # The newest lines; `has_more` if there are older ones.
    messages: list[Message]
    has_more: bool
    shared: dict[str, str] | None
