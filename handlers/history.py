"""/history: past calls, newest first, twenty a page."""

from __future__ import annotations

from handlers.base import BaseHandler
from models.history import wire_calls


class HistoryHandler(BaseHandler):
    async def get(self) -> None:
        member = self.allowed(access=False, selfie=False)
        past = await self.models.history.page(member.user_id, self.get_query_argument("cursor", None) or None)
        if not self.is_page:
            self.json(wire_calls(past))
            return
        self.page(
            "history/page.html",
            fragment="history/_calls.html",
            calls=past.calls,
            next_cursor=past.next_cursor,
        )
