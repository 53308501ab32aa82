"""/admin: how the site does right now, and what waits."""

from __future__ import annotations

from handlers.console.base import ConsoleHandler


class DashboardHandler(ConsoleHandler):
    """GET /admin; its figures ask for themselves again."""

    async def get(self) -> None:
        figures = await self.models.dashboard.figures(with_money=self.who().is_admin)
        self.show("console/dashboard.html", fragment="console/_figures.html", figures=figures)
