"""/ws/calls/<id>: the relay between the two seats of a call.

A socket is bound to its call and side when it opens, so a message needs no look-up: its type is checked, and
the frame is passed on unchanged. Signalling may be lost, because the clients renegotiate; chat may not.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable

import msgspec

from handlers.base.socket import BaseSocket, id_of
from handlers.calls.call_state import call_state
from handlers.calls.seat_order import SeatOrder
from handlers.realtime.close_codes import REPLACED
from handlers.realtime.sockets import Seat
from models import messages
from models.calls import sdp_filter
from models.calls.call import Call, other
from models.calls.calls import record_media
from models.calls.snapshot import Snapshot
from models.calls.state import MediaDown, MediaUp, Side
from models.errors import NotFound, Problem
from models.ids import is_id
from models.messages import (
    CallEndCommand,
    CallEnded,
    ChatMessage,
    ContactsShare,
    ContactsShared,
    JsonStruct,
    MediaState,
    Ping,
    Pong,
    RtcConnected,
    RtcDisconnected,
)
from models.retry import retry_until_available

PASSED_ON = frozenset({"rtc:offer", "rtc:answer", "rtc:ice"})


class RelaySocket(BaseSocket):
    def initialize(self) -> None:
        super().initialize()
        self.call_id = ""
        self.side: Side = "caller"
        self.peer: Seat | None = None
        self._is_seated = False
        self._order = SeatOrder(super().send)
        self._must_keep_seat = False
        self._cut = sdp_filter.cut if self.application.config.relay_only else None

    @property
    def messages_per_second(self) -> int:
        return self.application.config.relay_messages_per_second

    async def opened(self, *args: str) -> None:
        call = await self._own_call(args[0])
        if call.progress.state == "ended":
            self._send_end(call)
            return
        self.call_id, self.side, self._is_seated = call.call_id, call.side_of(self._user_id), True
        try:
            await self.hub.add_seat(self)
            if self.is_open:
                await self._take_seat()
        finally:
            if not self.is_open and not self.hub.is_draining:
                # Closed while opening: on_close may have run already, before there was a seat to leave.
                await self._leave()
                self.models.signalling.give_back(self.call_id, self.side)

    async def _take_seat(self) -> None:
        # Everything is read before the frames that wait for the seat are taken: nothing that may fail
        # follows.
        call, view = await self.models.calls.take_seat(self.call_id, self.side, self.id)
        if view is None:
            self._send_end(call)
            return
        if not self.is_open:
            return  # a newer tab has replaced this one, and must not be replaced by it
        waiting = await self.models.signalling.take(self.call_id, self.side, self.id)
        self._show(call, view)
        for frame in waiting:
            super().send(frame)
        self._order.opened()
        if self._must_keep_seat:
            await self.keep_seat()

    async def keep_seat(self) -> None:
        """Takes the seat again after this process or a server was away, unless a newer tab has it.
        Raises: NotFound (the call no longer exists).
        """
        self._must_keep_seat = self._order.is_opening
        if not self._is_seated or self._must_keep_seat:
            return
        kept = await self.models.calls.keep_seat(self.call_id, self.side, self.id)
        if kept is None:
            self.replace()
            return
        call, view = kept
        if view is None:
            self._send_end(call)
            return
        waiting = await self.models.signalling.take(self.call_id, self.side, self.id)
        # The complete state: media bits may be lost too, and the client sends them again after `call:state`.
        self._show(call, view)
        for frame in waiting:
            self.send(frame)

    @property
    def _user_id(self) -> str:
        assert self.member is not None
        return self.member.user_id

    async def _own_call(self, call_id: str) -> Call:
        member = self.signed_in()
        if not is_id(call_id):
            raise NotFound
        return await self.models.calls.known_own(call_id, member.user_id)

    def _send_end(self, call: Call) -> None:
        self._is_seated = False
        reason = call.progress.ended_reason or ""
        super().send(messages.encode(CallEnded(reason=reason, connected_seconds=call.connected_seconds)))
        self.close(1000)

    def _show(self, call: Call, view: Snapshot) -> None:
        self.send_message(call_state(call, self.side, view, self.models.clock))
        self._order.shown(message.message_id for message in view.messages)
        if view.shared is not None:
            self.send_message(ContactsShared(call_id=self.call_id, handles=view.shared))

    def send(self, frame: bytes, once: str | None = None) -> None:
        """Sends a frame of the peer or the hub, in order; not if the line `once` was sent before."""
        self._order.push(frame, once)

    def send_message(self, message: JsonStruct) -> None:
        """Sends this socket's own message at once; it does not wait for `call:state`."""
        super().send(messages.encode(message))

    def on_message(self, frame: bytes) -> Awaitable[None] | None:  # type: ignore[override]
        if self.is_over_budget():
            return None
        try:
            head = messages.head(frame)
        except Problem as problem:
            self.fault(problem, None)
            return None
        if head.type in PASSED_ON:
            if self._cut is not None:
                left = self._cut(head.type, frame)
                if left is None:
                    return None
                frame = left
            return self._pass_on(frame)
        return self._command(frame)

    def _pass_on(self, frame: bytes) -> Awaitable[None] | None:
        if self.peer is None:
            return self._pass_to_process(frame)
        self.peer.send(frame)
        return None

    async def _pass_to_process(self, frame: bytes) -> None:
        try:
            await self.models.signalling.send(self.call_id, other(self.side), frame)
        except Problem as problem:
            self.fault(problem, None)

    async def _command(self, frame: bytes) -> None:
        try:
            await self._do(messages.parse_relay(frame))
        except Problem as problem:
            self.fault(problem, id_of(frame))
        except Exception as error:
            self.failed(error, id_of(frame))

    async def _do(self, command: messages.RelayCommand) -> None:
        match command:
            case RtcConnected():
                record_media(command)
                await self._media(MediaUp(self.side))
            case RtcDisconnected():
                await self._media(MediaDown(self.side))
            case MediaState():
                far = self._pass_on(messages.encode(msgspec.structs.replace(command, id=None)))
                if far is not None:
                    await far
            case ChatMessage(text=text, id=client_id):
                call = await self.models.calls.known(self.call_id)
                self.send_message(await self.models.chat.say(call, self._user_id, client_id, text))
            case ContactsShare(yes=is_yes):
                call = await self.models.calls.known(self.call_id)
                await self.models.contacts.say(call, self._user_id, is_yes=is_yes)
            case CallEndCommand():
                await self.models.calls.hang_up(self.call_id)
            case Ping():
                self.send_message(Pong(id=command.id, server_now=self.models.clock.now_ms()))

    async def _media(self, event: MediaUp | MediaDown) -> None:
        answer = await self.models.calls.report_media(self.call_id, event)
        if answer is not None:
            self.send_message(answer)

    def send_last(self, frame: bytes, code: int) -> None:
        """Sends a last frame, even while the seat opens, and closes. The ended call has freed the seat."""
        self._is_seated = False
        super().send(frame)
        self.close(code)

    def replace(self) -> None:
        """A newer tab has the seat. A socket that is opening may still take it, and then gives it back."""
        self._is_seated = self._order.is_opening
        self.close(REPLACED, "open in another tab")

    def on_close(self) -> None:
        super().on_close()
        if self.call_id and not self.hub.is_draining:
            self.hub.spawn(self._leave())

    async def _leave(self) -> None:
        self.hub.remove_seat(self)
        if self._is_seated:
            with contextlib.suppress(NotFound):
                await retry_until_available(self._give_up_seat)

    async def _give_up_seat(self) -> None:
        """Empties the seat: the peer is notified, and the grace period begins."""
        await self.models.signalling.leave(self.call_id, self.side, self.id)
        await self.models.calls.lose_seat(self.call_id, self.side, self.id)
