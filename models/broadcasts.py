"""Events for users and calls, as they are published: the encoded frame and its recipients.

A model calls `broadcasts.to_user(user_id, message)`; the hub of each process that holds a socket of that user
writes the frame to it. `only` restricts an event to one socket, and `others` is the frame for the user's
other sockets. `close` closes the sockets after the frame.
"""

from __future__ import annotations

import msgspec

from models import messages
from models.messages import Access, JsonStruct
from models.redis import keys
from models.redis.client import Bus

NOTHING = msgspec.Raw(b"null")


class UserFrame(msgspec.Struct, frozen=True, omit_defaults=True, tag="tell"):
    """A frame for a user's invite sockets; `null` means no frame."""

    frame: msgspec.Raw
    only: str | None = None
    others: msgspec.Raw = NOTHING


class Delivered(msgspec.Struct, frozen=True, tag="delivered"):
    """The cards that the user's screen now shows. Published by the Lua script `room.queue_page`, so that
    it is ordered with departures.
    """

    ids: list[str]
    more: bool
    first: bool


class SignedOut(msgspec.Struct, frozen=True, tag="signed_out"):
    """A session has ended: its sockets get `session:ended` and are closed with 4401."""

    session_id: str
    reason: str


class AccessEvent(msgspec.Struct, frozen=True, tag="access"):
    """Access was gained or lost: every socket gets `access:changed`, and the queue is updated."""

    access: Access


class Reload(msgspec.Struct, frozen=True, tag="reload"):
    """The user's data changed: their sockets get a new `state`."""


class Unlisted(msgspec.Struct, frozen=True, tag="unlisted"):
    """The user's selfie was removed: their sockets leave the queue and get `queue:state`."""


class BanEvent(msgspec.Struct, frozen=True, tag="banned"):
    """A ban is in force: every socket of the user gets `ban` and is closed with 4403."""

    frame: msgspec.Raw


class CardEvent(msgspec.Struct, frozen=True, tag="card"):
    """Two users were blocked from each other, or no longer are: the card is removed from the user's screen,
    or may return to it.
    """

    card: str
    is_hidden: bool


UserEvent = UserFrame | Delivered | SignedOut | AccessEvent | Reload | Unlisted | BanEvent | CardEvent


class CallFrame(msgspec.Struct, frozen=True, omit_defaults=True, tag="tell"):
    """A frame for the seats of a call; `side` restricts it to one, and `close` is a close code. A seat gets
    only one event with the same `once`.
    """

    frame: msgspec.Raw
    side: str | None = None
    close: int | None = None
    once: str | None = None


class SeatReplaced(msgspec.Struct, frozen=True, tag="seat"):
    """A newer socket has taken the seat: any other socket on this side is closed with 4409."""

    side: str
    seat: str


class SeatGivenBack(msgspec.Struct, frozen=True, tag="given_back"):
    """A socket that was no longer needed had taken the seat: another socket of this side takes it again."""

    side: str


CallEvent = CallFrame | SeatReplaced | SeatGivenBack
_user_decoder = msgspec.json.Decoder(UserEvent)
_call_decoder = msgspec.json.Decoder(CallEvent)


def decode_user_event(encoded: bytes) -> UserEvent:
    event: UserEvent = _user_decoder.decode(encoded)
    return event


def decode_call_event(encoded: bytes) -> CallEvent:
    event: CallEvent = _call_decoder.decode(encoded)
    return event


class Broadcasts:
    """The publisher of events."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def to_user(
        self, user_id: str, message: JsonStruct, *, only: str | None = None, others: JsonStruct | None = None
    ) -> None:
        rest = NOTHING if others is None else _raw(others)
        self.publish_to_user(user_id, UserFrame(frame=_raw(message), only=only, others=rest))

    def publish_to_user(self, user_id: str, event: UserEvent) -> None:
        self._bus.publish(keys.user_channel(user_id), event, msgspec.json.encode)

    def to_user_except(self, user_id: str, socket_id: str, message: JsonStruct) -> None:
        """Sends to every socket of a user except one, which gets its own answer."""
        self.publish_to_user(user_id, UserFrame(frame=NOTHING, only=socket_id, others=_raw(message)))

    def keep_apart(self, one_id: str, other_id: str, *, is_hidden: bool) -> None:
        """Removes each user from the other's screen, as if they had gone offline, or lets them return."""
        self.publish_to_user(one_id, CardEvent(card=other_id, is_hidden=is_hidden))
        self.publish_to_user(other_id, CardEvent(card=one_id, is_hidden=is_hidden))

    def to_call(
        self,
        call_id: str,
        message: JsonStruct,
        *,
        side: str | None = None,
        close: int | None = None,
        once: str | None = None,
    ) -> None:
        self.publish_to_call(call_id, CallFrame(frame=_raw(message), side=side, close=close, once=once))

    def publish_to_call(self, call_id: str, event: CallEvent) -> None:
        self._bus.publish(keys.call_channel(call_id), event, msgspec.json.encode)


def _raw(message: JsonStruct) -> msgspec.Raw:
    return msgspec.Raw(messages.encode(message))
