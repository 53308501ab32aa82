"""/calls/<id>: the page of a live call, and its summary after the end.

Other users get the same 404 as for a random id.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from handlers.base.handler import BaseHandler
from models.calls.call import Call, other
from models.errors import TooMany
from models.messages import Person
from models.security.member import Member


class CallView(msgspec.Struct, frozen=True):
    """A call as the templates show it."""

    call_id: str
    peer: Person | None
    agreed_seconds: int
    state: str
    polite: bool
    ended_reason: str | None
    connected_seconds: int | None
    started_at: datetime
    cooldown_until: datetime | None


async def ended_context(handler: BaseHandler, call: Call, user_id: str) -> dict[str, Any]:
    """Context of the summary: sharing of contacts, and whether the peer is blocked."""
    peer_id = call.user_on(other(call.side_of(user_id)))
    return {
        "sharing": await handler.models.contacts.sharing(call, user_id),
        "blocked": await handler.models.blocks.blocked_among(user_id, [peer_id]),
    }


class CallHandler(BaseHandler):
    async def get(self, call_id: str) -> None:
        member = self.signed_in()
        call = await self.models.calls.get_own(call_id, member.user_id)
        side = call.side_of(member.user_id)
        peer = await self.models.users.person(call.user_on(other(side)))
        if not self.is_page:
            self.json(self._wire(call, call.is_polite(side), peer))
            return
        is_over = call.progress.state == "ended"
        past = await self.models.history.of_call(member.user_id, call_id) if is_over else None
        view = CallView(
            call_id=call.call_id,
            peer=peer,
            agreed_seconds=call.agreed_seconds,
            state=call.progress.state,
            polite=call.is_polite(side),
            ended_reason=call.progress.ended_reason,
            connected_seconds=call.connected_seconds if is_over else None,
            started_at=call.started_at,
            cooldown_until=past.cooldown_until if past else None,
        )
        if is_over:
            context = await ended_context(self, call, member.user_id)
            self.page("calls/ended.html", fragment="calls/_ended.html", call=view, **context)
        else:
            servers = await self._ice_servers(call, member)
            self.page("calls/page.html", fragment="calls/_call.html", call=view, ice_servers=servers)

    async def _ice_servers(self, call: Call, member: Member) -> str | None:
        """The body of /turn/credentials, so that the page need not ask; counted like a request. None if the
        page has to ask, or would be refused.
        """
        left = call.progress.remaining_at(self.models.clock.now())
        servers = self.models.turn.at_once(call.call_id, member.user_id, left)
        if servers is None or member.is_banned:
            return None
        try:
            await self.models.rate_limits.hit("turn", member.user_id)
        except TooMany:
            return None
        return msgspec.json.encode(servers).decode()

    def _wire(self, call: Call, is_polite: bool, peer: Person | None) -> dict[str, object]:
        progress = call.progress
        body: dict[str, object] = {
            "callId": call.call_id,
            "peerUser": peer,
            "agreedSeconds": call.agreed_seconds,
            "state": "ended" if progress.state == "ended" else progress.clock,
            "polite": is_polite,
            "serverNow": self.models.clock.now_ms(),
        }
        if progress.state == "ended":
            return body | {"endedReason": progress.ended_reason, "connectedSeconds": call.connected_seconds}
        return body | {"remainingMs": progress.remaining_at(self.models.clock.now())}
