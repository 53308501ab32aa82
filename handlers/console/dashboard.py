"""/admin: the current figures of the site, and the open tasks."""

from __future__ import annotations

from handlers.console.base import ConsoleHandler


class DashboardHandler(ConsoleHandler):
    """GET /admin; the page refreshes its figures automatically."""

    async def get(self) -> None:
        figures = await self.models.dashboard.figures(with_money=self.who().is_admin)
        self.show("console/dashboard/page.html", fragment="console/dashboard/_figures.html", figures=figures)
