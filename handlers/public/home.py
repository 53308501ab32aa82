"""The start page, the live count, and the public texts."""

from __future__ import annotations

from handlers.base.handler import BaseHandler


class HomeHandler(BaseHandler):
    async def get(self) -> None:
        online = await self.models.presence.online_users()
        self.page("public/home/page.html", online_users=online)


class TermsHandler(BaseHandler):
    def get(self) -> None:
        self.page("public/terms/page.html")


class PrivacyHandler(BaseHandler):
    def get(self) -> None:
        self.page("public/privacy/page.html")


class ImprintHandler(BaseHandler):
    """GET /imprint: who runs the site."""

    def get(self) -> None:
        self.page("public/imprint/page.html")


class LiveStatsHandler(BaseHandler):
    """GET /stats/live: always JSON."""

    async def get(self) -> None:
        self.json({"onlineUsers": await self.models.presence.online_users()})
