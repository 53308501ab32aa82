"""/calls/<id>: the page of a live call, and its summary after the end.

Other users get the same 404 as for a random id.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from handlers.base.handler import BaseHandler
from models.calls.call import Call
from models.calls.pages import CallPage
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


class CallHandler(BaseHandler):
    async def get(self, call_id: str) -> None:
        member = self.signed_in()
        page = await self.models.call_pages.of(call_id, member.user_id)
        call = page.call
        if not self.is_page:
            self.json(self._wire(call, call.is_polite(call.side_of(member.user_id)), page.peer))
        elif call.progress.state == "ended":
            self._show_ended(page, member)
        else:
            servers = await self._ice_servers(call, member)
            view, template, fragment = _view(page, member), "calls/page.html", "calls/_call.html"
            self.page(template, fragment=fragment, call=view, ice_servers=servers)

    def _show_ended(self, page: CallPage, member: Member) -> None:
        blocked = frozenset([page.peer.user_id] if page.is_blocked and page.peer else [])
        sharing, view = self.models.contacts.sharing(page), _view(page, member)
        template, fragment = "calls/ended.html", "calls/_ended.html"
        self.page(template, fragment=fragment, call=view, sharing=sharing, blocked=blocked)

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


def _view(page: CallPage, member: Member) -> CallView:
    call = page.call
    is_over = call.progress.state == "ended"
    return CallView(
        call_id=call.call_id,
        peer=page.peer,
        agreed_seconds=call.agreed_seconds,
        state=call.progress.state,
        polite=call.is_polite(call.side_of(member.user_id)),
        ended_reason=call.progress.ended_reason,
        connected_seconds=call.connected_seconds if is_over else None,
        started_at=call.started_at,
        cooldown_until=page.cooldown_until if is_over else None,
    )
