"""/history: past calls, newest first, twenty per page."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from models.calls.history import wire_calls


class HistoryHandler(BaseHandler):
    async def get(self) -> None:
        member = self.allowed(access=False, selfie=False)
        past = await self.models.history.page(member.user_id, self.get_query_argument("cursor", None) or None)
        past = past.with_contacts(await self.models.contacts.shared_with(member.user_id, past.call_ids))
        if not self.is_page:
            self.json(wire_calls(past))
            return
        self.page(
            "calls/history/page.html",
            fragment="calls/history/_calls.html",
            calls=past.calls,
            blocked=await self.models.blocks.blocked_among(member.user_id, past.partner_ids),
            next_cursor=past.next_cursor,
        )
