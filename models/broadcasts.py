"""Events for users and calls, as they are published: the encoded frame and its recipients.

A model calls `news.to_user(user_id, message)`; the hub of each process that holds a socket of that user
writes the frame to it. `only` restricts an event to one socket, and `others` is the frame for the user's
other sockets. `close` closes the sockets after the frame.
"""

from __future__ import annotations

import msgspec

from models import messages
from models.messages import Access, Wire
from models.redis import keys
from models.redis.client import Bus

NOTHING = msgspec.Raw(b"null")


class UserNews(msgspec.Struct, frozen=True, omit_defaults=True, tag="tell"):
    """A frame for a user's invite sockets; `null` means no frame."""

    frame: msgspec.Raw
    only: str | None = None
    others: msgspec.Raw = NOTHING


class Delivered(msgspec.Struct, frozen=True, tag="delivered"):
    """The cards that the user's screen now shows. Published by models/redis/lua/queue_page.lua itself, so
    that it is ordered with departures.
    """

    ids: list[str]
    more: bool
    first: bool


class SignedOut(msgspec.Struct, frozen=True, tag="signed_out"):
    """A session has ended: its sockets get `session:ended` and are closed with 4401."""

    session_id: str
    reason: str


class AccessNews(msgspec.Struct, frozen=True, tag="access"):
    """Access was gained or lost: every socket gets `access:changed`, and the queue is updated."""

    access: Access


class Reload(msgspec.Struct, frozen=True, tag="reload"):
    """The user's data changed: their sockets get a new `state`."""


class Unlisted(msgspec.Struct, frozen=True, tag="unlisted"):
    """The user's selfie was removed: their sockets leave the queue and get `queue:state`."""


class BannedNews(msgspec.Struct, frozen=True, tag="banned"):
    """A ban is in force: every socket of the user gets `ban` and is closed with 4403."""

    frame: msgspec.Raw


class CardNews(msgspec.Struct, frozen=True, tag="card"):
    """Two users were blocked from each other, or no longer are: the card is removed from the user's screen,
    or may return to it.
    """

    card: str
    is_hidden: bool


AboutUser = UserNews | Delivered | SignedOut | AccessNews | Reload | Unlisted | BannedNews | CardNews


class CallNews(msgspec.Struct, frozen=True, omit_defaults=True, tag="tell"):
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


AboutCall = CallNews | SeatReplaced | SeatGivenBack
_user_decoder = msgspec.json.Decoder(AboutUser)
_call_decoder = msgspec.json.Decoder(AboutCall)


def read_user_news(news: bytes) -> AboutUser:
    told: AboutUser = _user_decoder.decode(news)
    return told


def read_call_news(news: bytes) -> AboutCall:
    told: AboutCall = _call_decoder.decode(news)
    return told


class News:
    """The publisher of events."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def to_user(
        self, user_id: str, message: Wire, *, only: str | None = None, others: Wire | None = None
    ) -> None:
        rest = NOTHING if others is None else _raw(others)
        self.about_user(user_id, UserNews(frame=_raw(message), only=only, others=rest))

    def about_user(self, user_id: str, news: AboutUser) -> None:
        self._bus.publish(keys.user_channel(user_id), msgspec.json.encode(news))

    def to_user_but(self, user_id: str, socket_id: str, message: Wire) -> None:
        """Sends to every socket of a user except one, which gets its own answer."""
        self.about_user(user_id, UserNews(frame=NOTHING, only=socket_id, others=_raw(message)))

    def keep_apart(self, one_id: str, other_id: str, *, is_hidden: bool) -> None:
        """Removes each user from the other's screen, as if they had gone offline, or lets them return."""
        self.about_user(one_id, CardNews(card=other_id, is_hidden=is_hidden))
        self.about_user(other_id, CardNews(card=one_id, is_hidden=is_hidden))

    def to_call(
        self,
        call_id: str,
        message: Wire,
        *,
        side: str | None = None,
        close: int | None = None,
        once: str | None = None,
    ) -> None:
        self.about_call(call_id, CallNews(frame=_raw(message), side=side, close=close, once=once))

    def about_call(self, call_id: str, news: AboutCall) -> None:
        self._bus.publish(keys.call_channel(call_id), msgspec.json.encode(news))


def _raw(message: Wire) -> msgspec.Raw:
    return msgspec.Raw(messages.encode(message))
