"""The open sockets of THIS process, by user and by call. Only the hub turns events into frames.

Events about a user or a call reach every process that has subscribed to them; the hub subscribes with the
first socket and unsubscribes with the last. It makes no decisions: `state` and `call:state` replace a lost or
late frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

from handlers.realtime.close_codes import BANNED, GOING_AWAY, SIGNED_OUT
from handlers.realtime.limits import SocketLimits
from handlers.realtime.queue_updates import QueueFeed
from handlers.realtime.reloads import Reloads, SocketReload, look_again
from handlers.realtime.sockets import OpenSocket, Seat, UserSocket
from models.broadcasts import (
    NOTHING,
    AccessEvent,
    BanEvent,
    CallEvent,
    CallFrame,
    CardEvent,
    Delivered,
    Reload,
    SeatGivenBack,
    SeatReplaced,
    SignedOut,
    Unlisted,
    UserEvent,
    UserFrame,
    decode_call_event,
    decode_user_event,
)
from models.calls.call import other
from models.calls.state import Side
from models.concurrency.background_tasks import BackgroundTasks
from models.errors import NotFound, Unavailable
from models.redis import keys
from models.retry import retry_until_available
from models.wiring import Models

logger = logging.getLogger(__name__)
BAN_WAIT_SECONDS = 0.4


class Hub:
    def __init__(self, models: Models) -> None:
        self._bus, self._subscriber = models.bus, models.bus.subscriber
        self._models = models
        self.limits = SocketLimits(models.config)
        # Every connection of a socket, including those that were refused and are closing.
        self.sockets: set[OpenSocket] = set()
        self.feed = QueueFeed(models.presence, self._joined_sockets)
        self.invite_sockets: dict[str, set[UserSocket]] = {}
        self.seats: dict[str, dict[Side, Seat]] = {}
        self._subscribed: dict[str, set[UserSocket | Seat]] = {}
        self.is_draining = False
        self._reloads = Reloads(self._everyone, models.presence.register_all, self.feed.catch_up)
        self._work = BackgroundTasks()

    async def open(self) -> None:
        self._subscriber.on_reconnect = lambda: self._reloads.request(announce=True)
        self._reloads.start()
        await self._bus.open(keys.CHANNEL_ALL, self._reload_everyone)
        await self._subscriber.subscribe(keys.CHANNEL_QUEUE, self.feed.change)
        self.feed.start()

    async def drain(self) -> None:
        """Closes every socket with 1001; the clients reconnect, here or to another process."""
        self.is_draining = True
        await self.feed.stop()
        await self._reloads.stop()
        for sockets in list(self.invite_sockets.values()):
            for socket in list(sockets):
                socket.close(GOING_AWAY, "the server is restarting")
        for seats in list(self.seats.values()):
            for seat in list(seats.values()):
                seat.close(GOING_AWAY, "the server is restarting")

    # -- people --

    async def add_invite_socket(self, socket: UserSocket) -> None:
        user_id = socket.user_id
        self.invite_sockets.setdefault(user_id, set()).add(socket)
        await self._subscribe_for(socket)

    def remove_invite_socket(self, socket: UserSocket) -> None:
        user_id = socket.user_id
        sockets = self.invite_sockets.get(user_id, set())
        sockets.discard(socket)
        if not sockets:
            self.feed.forget(user_id)
            self.invite_sockets.pop(user_id, None)
        self._unsubscribe_for(socket)

    async def _subscribe_for(self, socket: UserSocket | Seat) -> None:
        """Subscribes to the user's events: sockets of both kinds close when the session ends or a ban begins.

        Each socket waits for the confirmation itself, even while another one is already waiting.
        """
        self._subscribed.setdefault(socket.user_id, set()).add(socket)
        channel = keys.user_channel(socket.user_id)
        await self._subscriber.subscribe(channel, self._user_event, decode_user_event)

    def _unsubscribe_for(self, socket: UserSocket | Seat) -> None:
        sockets = self._subscribed.get(socket.user_id, set())
        sockets.discard(socket)
        if not sockets and self._subscribed.pop(socket.user_id, None) is not None:
            self._subscriber.unsubscribe(keys.user_channel(socket.user_id))

    def _joined_sockets(self, user_id: str) -> list[UserSocket]:
        return [socket for socket in self.invite_sockets.get(user_id, ()) if socket.is_joined]

    def _user_event(self, channel: str, event: UserEvent) -> None:
        user_id = channel.removeprefix(keys.CHANNEL_USER)
        match event:
            case UserFrame():
                for socket in list(self.invite_sockets.get(user_id, ())):
                    frame = event.frame if event.only in (None, socket.id) else event.others
                    if bytes(frame) != bytes(NOTHING):
                        socket.send(bytes(frame))
            case Delivered():
                if user_id in self.invite_sockets:
                    self.feed.delivered(user_id, event)
            case SignedOut():
                self._sign_out(user_id, event)
            case Reload():
                self.spawn(self._reload(user_id))
            case AccessEvent():
                self.spawn(self._change_access(user_id, event))
            case Unlisted():
                for socket in list(self.invite_sockets.get(user_id, ())):
                    self.spawn(socket.unlist())
            case BanEvent():
                self.spawn(self._ban(user_id, bytes(event.frame)))
            case CardEvent():
                (self.feed.hide if event.is_hidden else self.feed.show)(user_id, event.card)

    def _sign_out(self, user_id: str, event: SignedOut) -> None:
        for socket in list(self.invite_sockets.get(user_id, ())):
            if socket.session_id == event.session_id:
                socket.sign_out(event.reason)
        for seats in list(self.seats.values()):
            for seat in list(seats.values()):
                if seat.session_id == event.session_id:
                    seat.close(SIGNED_OUT, "signed out")

    async def _ban(self, user_id: str, frame: bytes) -> None:
        """Removes the user from the queue before the sockets close, so that they do not linger there; without
        waiting for Redis.
        """
        sockets = list(self.invite_sockets.get(user_id, ()))
        for socket in sockets:
            socket.receive_ban(frame)
        for seat in [seat for one in self.seats.values() for seat in one.values() if seat.user_id == user_id]:
            seat.send_last(frame, BANNED)
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(BAN_WAIT_SECONDS):
                await self._models.presence.remove(user_id)
        for socket in sockets:
            socket.close(BANNED, "banned")

    async def _change_access(self, user_id: str, event: AccessEvent) -> None:
        if event.access == "unpaid":
            await self._models.presence.lose_access(user_id)
        else:
            await self._models.presence.gain_access(user_id)
        for socket in list(self.invite_sockets.get(user_id, ())):
            socket.access_changed(event.access)

    async def _reload(self, user_id: str) -> None:
        for socket in list(self.invite_sockets.get(user_id, ())):
            await look_again(socket, socket.send_state)

    def _reload_everyone(self, _channel: str, _event: bytes) -> None:
        self._reloads.request()

    def _everyone(self) -> list[SocketReload]:
        """All sockets, seats first."""
        seats: list[SocketReload] = [
            (seat, seat.keep_seat) for seats in self.seats.values() for seat in seats.values()
        ]
        invites = (socket for sockets in self.invite_sockets.values() for socket in sockets)
        return seats + [(socket, socket.send_state) for socket in invites]

    # -- calls --

    async def add_seat(self, seat: Seat) -> None:
        """Registers the seat, even while it is still opening: events that arrive in that time are stored for
        it.
        """
        seats = self.seats.setdefault(seat.call_id, {})
        before = seats.get(seat.side)
        seats[seat.side] = seat
        _introduce(seats)
        if before is not None:
            before.replace()
        await self._subscribe_for(seat)
        channel = keys.call_channel(seat.call_id)
        await self._subscriber.subscribe(channel, self._call_event, decode_call_event)

    def remove_seat(self, seat: Seat) -> None:
        seats = self.seats.get(seat.call_id, {})
        if seats.get(seat.side) is seat:
            del seats[seat.side]
            _introduce(seats)
        seat.peer = None
        if not seats:
            self._models.calls.forget(seat.call_id)
            self.seats.pop(seat.call_id, None)
            self._subscriber.unsubscribe(keys.call_channel(seat.call_id))
        self._unsubscribe_for(seat)

    def _call_event(self, channel: str, event: CallEvent) -> None:
        seats = self.seats.get(channel.removeprefix(keys.CHANNEL_CALL), {})
        for seat in [seat for side, seat in seats.items() if event.side in (None, side)]:
            match event:
                case CallFrame(close=int(code)):
                    seat.send_last(bytes(event.frame), code)
                case CallFrame():
                    seat.send(bytes(event.frame), event.once)
                case SeatGivenBack():
                    self.spawn(look_again(seat, seat.keep_seat))
                case SeatReplaced() if seat.id != event.seat:
                    # At once: what the peer sends from now on goes to the newer one.
                    del seats[seat.side]
                    _introduce(seats)
                    seat.replace()
                    self.spawn(self._seat_moved(seat))

    async def _seat_moved(self, seat: Seat) -> None:
        """The seat is on another process, which does not know what was not written."""
        with contextlib.suppress(NotFound):
            await retry_until_available(lambda: self._models.calls.seat_moved(seat.call_id))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._work.spawn("the delivery of events", work)


def _introduce(seats: dict[Side, Seat]) -> None:
    """Gives each seat of a call here the other one, or None, so that a message costs no look-up."""
    for side, seat in seats.items():
        seat.peer = seats.get(other(side))
