"""/ws/invites: presence and call invites. Each command calls one method of a model (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from handlers.base.socket import BaseSocket, id_of
from handlers.realtime.close_codes import SIGNED_OUT
from handlers.ringing.state_order import StateOrder
from models import messages
from models.errors import Banned, NotSignedIn, Problem
from models.ids import is_tab
from models.messages import (
    Access,
    AccessChanged,
    CallAccept,
    CallCancel,
    CallDecline,
    CallDeclined,
    CallExtendWait,
    CallInvite,
    JsonStruct,
    Ping,
    Pong,
    QueueHidden,
    QueueJoin,
    QueueLeave,
    QueueState,
    SessionEnded,
    StateCall,
    StateMessage,
)
from models.redis import keys
from models.room.presence import OpenedSocket
from models.security.member import Member

logger = logging.getLogger(__name__)


class InviteSocket(BaseSocket):
    def initialize(self) -> None:
        super().initialize()
        tab = self.request.query_arguments.get("tab", [b""])[-1].decode(errors="replace")
        if is_tab(tab):
            self.id = keys.socket_of_tab(tab, self.id)
        self.is_joined = False
        self.is_listening = True
        self._is_added = False
        self._changes = 0
        # Commands and reads of `state` do not run at the same time.
        self._turn = asyncio.Lock()
        self._order = StateOrder(super().send)

    @property
    def messages_per_second(self) -> int:
        return self.application.config.invite_messages_per_second

    async def opened(self, *_args: str) -> None:
        async with self._turn:
            member = self.signed_in()
            await self.models.address_bans.saw(member.user_id, self.address)
            await self.models.marks.saw(member.user_id, self.get_cookie(self.application.device_cookie))
            self._is_added = True
            await self.hub.add_invite_socket(self)
            await self._order.show(self._look)
        if not self.is_open:
            # Closed while opening: on_close has already run.
            await self._leave()

    async def send_state(self) -> None:
        """Sends the complete state again, after a server was down or the user has changed."""
        if not self.is_open or self.member is None:
            return
        async with self._turn:
            if not self._order.is_opening:
                await self._order.show(self._look)

    async def _look(self) -> StateMessage | None:
        """Reads the current state; None if the socket has closed."""
        # Access may have changed after it was read and before this socket subscribed to events.
        member = await self._fresh()
        presence, is_known = self.models.presence, self.models.presence.is_known(self.id)
        if not self.is_open:
            return None
        opened = (
            await presence.reopen(self.id)
            if is_known
            else await presence.open(
                self.user_id, self.id, counts=member.access != "unpaid" and member.kind != "probe"
            )
        )
        return None if opened is None or not self.is_open else await self._state(member, opened)

    async def _state(self, member: Member, opened: OpenedSocket) -> StateMessage:
        call_id, is_available = member.live_call_id, opened.is_available
        if call_id is None and opened.busy.startswith("call:"):
            # It may have begun since the member was read.
            call_id = await self.models.calls.live_of(self.user_id)
        if call_id is None and opened.busy.startswith("call:"):
            # A process died after it ended the call: PostgreSQL is right, Redis is out of date.
            is_available = await self.models.presence.forget_call(self.user_id, opened.busy)
        invite = None
        if call_id is None:
            invite = await self.models.invites.state_of(self.user_id, opened.busy, self.id)
        assert self.member is not None
        return StateMessage(
            server_now=self.models.clock.now_ms(),
            access=self.member.access,
            available=is_available,
            invite=invite,
            call=StateCall(call_id=call_id) if call_id else None,
        )

    def send(self, frame: bytes) -> None:
        """Sends an event, in order with `state`."""
        self._order.push(frame)

    def send_message(self, message: JsonStruct) -> None:
        """Sends an answer or a last message at once; it does not wait for `state`."""
        super().send(messages.encode(message))

    async def on_message(self, frame: bytes) -> None:  # type: ignore[override]
        if self.is_over_budget() or not self.is_listening:
            return
        try:
            command = messages.parse_invite(frame)
            async with self._turn:
                answer = await self._answer(command)
                if answer is not None:
                    self.send_message(answer)
        except Problem as problem:
            self.fault(problem, id_of(frame))
        except Exception as error:
            self.failed(error, id_of(frame))

    async def _answer(self, command: messages.InviteCommand) -> JsonStruct | None:
        invites, answers, member = self.models.invites, self.models.answers, self.member
        assert member is not None
        match command:
            case QueueJoin():
                return await self._join(command.id)
            case QueueLeave():
                return await self._leave_queue(command.id)
            case QueueHidden(hidden=hidden, notifications=notifications):
                await self.models.presence.hide(self.id, is_hidden=hidden, has_notifications=notifications)
                return None
            case CallInvite(to_user_id=to, requested_seconds=seconds):
                answer = await invites.invite(member, self.id, to, seconds, command.id)
                if isinstance(answer, CallDeclined) and answer.reason == "no_access":
                    await self._fresh()  # closes the socket if the session has ended
                return answer
            case CallExtendWait(invite_id=invite_id):
                return await invites.extend(member, self.id, invite_id, command.id)
            case CallCancel(invite_id=invite_id):
                return await answers.cancel(member, self.id, invite_id, command.id)
            case CallAccept(invite_id=invite_id, requested_seconds=seconds):
                return await answers.accept(member, self.id, invite_id, seconds, command.id)
            case CallDecline(invite_id=invite_id):
                return await answers.decline(member, self.id, invite_id, command.id)
            case Ping():
                return Pong(id=command.id, server_now=self.models.clock.now_ms())

    async def _join(self, command_id: str | None) -> QueueState | None:
        """Lists the socket. If the user changes during this, checks again before answering."""
        while True:
            changes = self._changes
            self._check(await self._fresh())
            if not self.is_open or not self.is_listening:
                # Closed or banned during the check: there is no socket to list.
                return None
            self.is_joined = True
            self.hub.feed.join(self.user_id)
            is_available = await self.models.presence.join(self.id)
            if changes == self._changes and self.is_open:
                return QueueState(id=command_id, available=is_available)
            await self._leave_queue(None)

    @staticmethod
    def _check(member: Member) -> None:
        """Raises: Banned, TermsChanged, PaymentRequired, SelfieRequired if the member may not be listed."""
        if member.is_banned:
            raise Banned
        member.check()

    async def _leave_queue(self, command_id: str | None) -> QueueState:
        self.is_joined = False
        return QueueState(id=command_id, available=await self.models.presence.leave(self.id))

    async def unlist(self) -> None:
        """Takes the socket off the queue because the selfie was removed."""
        self._changes += 1
        await self._leave_queue(None)
        self.send(messages.encode(QueueState(available=False)))

    async def _fresh(self) -> Member:
        """The member with current access, selfie and ban, by session id: the token may have been rotated."""
        seen = -1
        while seen != self._changes:
            # An event during the read may be newer than what was read.
            seen = self._changes
            member = await self.models.sessions.again(self.session_id)
        if member is None:
            await self._gone()
            raise NotSignedIn
        self.member = member
        return member

    async def _gone(self) -> None:
        """Closes the socket because its session has ended, with the notice if the user is banned."""
        notice = await self.models.ban_notices.find(self.user_id)
        if notice is None:
            self.close(SIGNED_OUT, "signed out")
        else:
            self.refuse(notice.refusal)

    def access_changed(self, access: Access) -> None:
        self._changes += 1
        if self.member is not None:
            self.member = msgspec.structs.replace(self.member, access=access)
        if access == "unpaid":
            self.is_joined = False
        self.send(messages.encode(AccessChanged(access=access)))

    def sign_out(self, reason: str) -> None:
        self.send_message(SessionEnded(reason=reason))
        self.close(SIGNED_OUT, "signed out")

    def receive_ban(self, frame: bytes) -> None:
        """Sends the ban notice and stops answering commands; the hub closes the socket soon."""
        self.is_joined = self.is_listening = False
        self._changes += 1
        super().send(frame)

    def on_close(self) -> None:
        super().on_close()
        if self._is_added and not self.hub.is_draining:
            self.hub.spawn(self._leave())

    async def _leave(self) -> None:
        self.hub.remove_invite_socket(self)
        await self.models.presence.close(self.id)
