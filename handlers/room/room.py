"""/room and its queue: cards of the users who are listed now."""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from models.errors import Invalid
from models.room.queue import MOST, PAGE, wire_page


class RoomHandler(BaseHandler):
    """GET /room: the page of the room with the first page of the queue."""

    async def get(self) -> None:
        member = self.allowed()
        page = await self.models.queue.page(member.user_id)
        wish = self.config.call_default_seconds
        self.page("room/page.html", fragment="room/_room.html", page=page, wish_seconds=wish)


class QueueHandler(BaseHandler):
    """GET /room/queue?cursor=&limit=: one page, as cards for htmx or as JSON."""

    async def get(self) -> None:
        member = self.allowed()
        cursor = self.get_query_argument("cursor", None) or None
        limit = self._limit()
        if self.is_page and not self.is_htmx:
            # The URL of the fragment was opened in a browser: redirect to the page that contains it.
            self.go("/room")
            return
        page = await self.models.queue.page(member.user_id, cursor, limit)
        if self.is_htmx:
            self.page("room/_cards.html", page=page)
        else:
            self.json(wire_page(page))

    def _limit(self) -> int:
        text = self.get_query_argument("limit", str(PAGE))
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MOST:
            raise Invalid(limit=f"Choose from 1 to {MOST}.")
        return int(text)
