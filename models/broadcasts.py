"""News for people and for calls, as it travels on the bus: the ready wire frame and whom it is for.

A model says `news.to_user(user_id, message)`; the hub of each process that holds a socket of that person
writes the frame to it.
`only` narrows it to one socket, and `others` is what the person's other sockets get instead. `close` ends
sockets after the frame.
"""

from __future__ import annotations

import msgspec

from models import messages
from models.messages import Access, Wire
from models.redis import keys
from models.redis.client import Bus

NOTHING = msgspec.Raw(b"null")


class UserNews(msgspec.Struct, frozen=True, omit_defaults=True, tag="tell"):
    """A frame for a person's invite sockets; `null` stands for nothing."""

    frame: msgspec.Raw
    only: str | None = None
    others: msgspec.Raw = NOTHING


class Delivered(msgspec.Struct, frozen=True, tag="delivered"):
    """These cards are on the person's screen now; published by models/redis/lua/queue_page.lua itself, in
    order with departures.
    """

    ids: list[str]
    more: bool
    first: bool


class SignedOut(msgspec.Struct, frozen=True, tag="signed_out"):
    """A session has ended: its sockets are told `session:ended` and closed with 4401."""

    session_id: str
    reason: str


class AccessNews(msgspec.Struct, frozen=True, tag="access"):
    """Access was gained or lost: every socket is told `access:changed`, and the queue follows."""

    access: Access


class Reload(msgspec.Struct, frozen=True, tag="reload"):
    """Something about the person changed: their sockets are sent `state` anew."""


class Unlisted(msgspec.Struct, frozen=True, tag="unlisted"):
    """The person's selfie was taken away: their sockets leave the queue and are told `queue:state`."""


class BannedNews(msgspec.Struct, frozen=True, tag="banned"):
    """A ban is in force: every socket of the person is told `ban` and closed with 4403."""

    frame: msgspec.Raw


class CardNews(msgspec.Struct, frozen=True, tag="card"):
    """A block or a report came between: this card leaves the person's screen, or may come back to it."""

    card: str
    is_hidden: bool


AboutUser = UserNews | Delivered | SignedOut | AccessNews | Reload | Unlisted | BannedNews | CardNews


class CallNews(msgspec.Struct, frozen=True, omit_defaults=True, tag="tell"):
    """A frame for the seats of a call; `side` narrows it to one. `close` is a code to close with. A seat is
    told once what has the same `once`.
    """

    frame: msgspec.Raw
    side: str | None = None
    close: int | None = None
    once: str | None = None


class SeatReplaced(msgspec.Struct, frozen=True, tag="seat"):
    """A newer socket has the seat: another one on this side is closed with 4409."""

    side: str
    seat: str


class SeatGivenBack(msgspec.Struct, frozen=True, tag="given_back"):
    """A socket that was not wanted any more had taken the seat: who else is on this side takes it again."""

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
    """The publishing side."""

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
        """To every socket of a person except one, which gets its own answer."""
        self.about_user(user_id, UserNews(frame=NOTHING, only=socket_id, others=_raw(message)))

    def keep_apart(self, one_id: str, other_id: str, *, is_hidden: bool) -> None:
        """Each leaves the other's screen, as somebody does who goes offline; or may come back to it."""
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
