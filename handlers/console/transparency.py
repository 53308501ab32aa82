"""/admin/transparency: figures about moderation, to be published."""

from __future__ import annotations

from handlers.console.base import ConsoleHandler
from models.errors import Invalid
from models.safety.transparency import TransparencyFigures


class TransparencyHandler(ConsoleHandler):
    """GET /admin/transparency?from=&to=: a page, JSON, or with `format=csv` a file."""

    async def get(self) -> None:
        first, last = self.models.transparency.this_year()
        asked = self.get_query_argument("from", first), self.get_query_argument("to", last)
        try:
            figures = await self.models.transparency.figures(*asked)
        except Invalid as problem:
            return self._again(problem, asked)
        if self.get_query_argument("format", "") == "csv":
            return self._file(figures)
        if not self.is_page:
            return self.json(figures)
        return self.show("console/transparency.html", figures=figures, first=asked[0], last=asked[1])

    def _again(self, problem: Invalid, asked: tuple[str, str]) -> None:
        first, last = asked
        self.show("console/transparency.html", problem=problem, figures=None, first=first, last=last)

    def _file(self, figures: TransparencyFigures) -> None:
        self.set_header("Content-Type", "text/csv; charset=UTF-8")
        name = f"transparency-{figures.first}-{figures.last}.csv"
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.set_header("Cache-Control", "no-store")
        self.finish(figures.as_csv())
