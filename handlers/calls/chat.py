"""/calls/<id>/messages: the chat lines of a call, two hundred per page. For its two users only."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from models.calls.history import messages_url, own_lines


class MessagesHandler(BaseHandler):
    async def get(self, call_id: str) -> None:
        member = self.signed_in()
        call = await self.models.calls.get_own(call_id, member.user_id)
        page = await self.models.chat.page(call_id, self.get_query_argument("cursor", None) or None)
        if not self.is_page:
            self.json({"messages": [line.message for line in page.lines], "nextCursor": page.next_cursor})
            return
        self.page(
            "calls/chat/page.html",
            call_id=call_id,
            peer=await self.models.users.person(call.peer_of(member.user_id)),
            messages=own_lines(page.lines, member.user_id),
            more_url=messages_url(call_id, page.next_cursor),
        )
