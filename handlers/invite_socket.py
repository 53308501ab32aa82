"""/ws/invites: presence and call invites. Each command is one call of a model; docs/protocol.md lists them
all.
"""

from __future__ import annotations

import logging

import msgspec

from handlers.base_socket import SIGNED_OUT, BaseSocket, id_of
from models import messages
from models.errors import Banned, NotSignedIn, PaymentRequired, Problem, SelfieRequired
from models.members import Access, Member
from models.messages import (
    AccessChanged,
    CallAccept,
    CallCancel,
    CallDecline,
    CallExtendWait,
    CallInvite,
    Ping,
    Pong,
    QueueHidden,
    QueueJoin,
    QueueLeave,
    QueueState,
    SessionEnded,
    State,
    StateCall,
    Wire,
)

logger = logging.getLogger(__name__)


class InviteSocket(BaseSocket):
    def initialize(self) -> None:
        super().initialize()
        self.is_joined = False
        self.is_listening = True
        self._is_added = False
        self._accesses_heard = 0

    @property
    def messages_per_second(self) -> int:
        return self.application.config.invite_messages_per_second

    async def opened(self, *_args: str) -> None:
        member = self.signed_in()
        await self.models.address_bans.saw(member.user_id, self.address)
        self._is_added = True
        await self.hub.add_invite_socket(self)
        # Access may have come or gone since they were read, before anything was heard for them here.
        member = await self._fresh()
        has_access = member.access != "unpaid"
        opened = await self.models.presence.open(self.user_id, self.id, has_access=has_access)
        if not self.is_open:
            # Closed while opening: on_close has been here already.
            await self._leave()
            return
        await self._send_state(opened.is_available, opened.busy)

    async def send_state(self) -> None:
        """Everything anew: after a server was away, or when something about the person changed."""
        if not self.is_open or self.member is None:
            return
        await self._fresh()
        opened = await self.models.presence.reopen(self.id)
        if opened is not None:
            await self._send_state(opened.is_available, opened.busy)

    async def _send_state(self, is_available: bool, busy: str) -> None:
        assert self.member is not None
        call_id = await self.models.calls.live_of(self.user_id)
        if call_id is None and busy.startswith("call:"):
            # A process died after it ended the call: PostgreSQL knows better than Redis.
            is_available = await self.models.presence.forget_call(self.user_id, busy)
        self.tell(
            State(
                server_now=self.models.clock.now_ms(),
                access=self.member.access,
                available=is_available,
                invite=await self.models.invites.state_of(self.user_id, busy, self.id),
                call=StateCall(call_id=call_id) if call_id else None,
            )
        )

    async def on_message(self, frame: bytes) -> None:  # type: ignore[override]
        if self.is_over_budget() or not self.is_listening:
            return
        try:
            command = messages.parse_invite(frame)
            answer = await self._answer(command)
            if answer is not None:
                self.tell(answer)
        except Problem as problem:
            self.fault(problem, id_of(frame))
        except Exception as error:
            self.failed(error, id_of(frame))

    async def _answer(self, command: messages.InviteCommand) -> Wire | None:
        invites, member = self.models.invites, self.member
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
                return await invites.invite(await self._fresh(), self.id, to, seconds, command.id)
            case CallExtendWait(invite_id=invite_id):
                return await invites.extend(member, self.id, invite_id, command.id)
            case CallCancel(invite_id=invite_id):
                return await invites.cancel(member, self.id, invite_id, command.id)
            case CallAccept(invite_id=invite_id, requested_seconds=seconds):
                return await invites.accept(member, self.id, invite_id, seconds, command.id)
            case CallDecline(invite_id=invite_id):
                return await invites.decline(member, self.id, invite_id, command.id)
            case Ping():
                return Pong(id=command.id, server_now=self.models.clock.now_ms())

    async def _join(self, command_id: str | None) -> QueueState | None:
        member = await self._fresh()
        if member.is_banned:
            raise Banned
        if member.access == "unpaid":
            raise PaymentRequired
        if member.selfie_id is None:
            raise SelfieRequired
        if not self.is_open:
            # Closed while we looked: nobody is left to join.
            return None
        self.is_joined = True
        self.hub.feed.join(self.user_id)
        return QueueState(id=command_id, available=await self.models.presence.join(self.id))

    async def _leave_queue(self, command_id: str | None) -> QueueState:
        self.is_joined = False
        return QueueState(id=command_id, available=await self.models.presence.leave(self.id))

    async def unlist(self) -> None:
        """Nobody is listed without a selfie, whatever other sockets of theirs have not heard yet."""
        await self._leave_queue(None)
        self.tell(QueueState(available=False))

    async def _fresh(self) -> Member:
        """Access, selfie and ban as they are now; the token may have been rotated since the socket opened."""
        heard = -1
        while heard != self._accesses_heard:
            # What is heard while we read may be newer than what we read.
            heard = self._accesses_heard
            member = await self.models.sessions.again(self.session_id)
        if member is None:
            await self._gone()
            raise NotSignedIn
        self.member = member
        return member

    async def _gone(self) -> None:
        """The session has ended: by a ban, or otherwise."""
        notice = await self.models.ban_notices.find(self.user_id)
        if notice is None:
            self.close(SIGNED_OUT, "signed out")
        else:
            self.refuse(notice.refusal)

    def access_changed(self, access: Access) -> None:
        self._accesses_heard += 1
        if self.member is not None:
            self.member = msgspec.structs.replace(self.member, access=access)
        if access == "unpaid":
            self.is_joined = False
        self.tell(AccessChanged(access=access))

    def sign_out(self, reason: str) -> None:
        self.tell(SessionEnded(reason=reason))
        self.close(SIGNED_OUT, "signed out")

    def hear_ban(self, frame: bytes) -> None:
        """The hub closes it in a moment; nothing is answered any more."""
        self.is_joined = self.is_listening = False
        self.send(frame)

    def on_close(self) -> None:
        super().on_close()
        if self._is_added and not self.hub.is_draining:
            self.hub.spawn(self._leave())

    async def _leave(self) -> None:
        self.hub.remove_invite_socket(self)
        await self.models.presence.close(self.id)
