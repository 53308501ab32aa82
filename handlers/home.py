"""The start page, the live count, and the two texts everybody may read."""

from __future__ import annotations

from handlers.base import BaseHandler


class HomeHandler(BaseHandler):
    async def get(self) -> None:
        online = await self.models.presence.online_users()
        self.page("home/page.html", online_users=online)


class TermsHandler(BaseHandler):
    def get(self) -> None:
        self.page("terms/page.html")


class PrivacyHandler(BaseHandler):
    def get(self) -> None:
        self.page("privacy/page.html")


class LiveStatsHandler(BaseHandler):
    """GET /stats/live: always JSON."""

    async def get(self) -> None:
        self.json({"onlineUsers": await self.models.presence.online_users()})
