"""/admin: the current figures of the site, the open tasks, and plots of the last day or week."""

from __future__ import annotations

from handlers.console.base import ConsoleHandler, as_json
from handlers.console.plots import HOURS, Span, drawn


class DashboardHandler(ConsoleHandler):
    """GET /admin?span=day|week; the page refreshes its figures automatically, without the plots."""

    async def get(self) -> None:
        is_admin = self.who().is_admin
        figures = await self.models.dashboard.figures(with_money=is_admin)
        if self.is_htmx:
            return self.page("console/dashboard/_figures.html", figures=figures)
        span: Span = "week" if self.get_query_argument("span", "day") == "week" else "day"
        hours = await self.models.hourly_figures.of_last(HOURS[span], with_money=is_admin)
        if not self.is_page:
            return self.json(as_json({"figures": figures, "hours": hours}))
        plots = drawn(hours, span, with_money=is_admin)
        return self.page("console/dashboard/page.html", figures=figures, span=span, plots=plots)
