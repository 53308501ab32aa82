"""Open appeals, and the verdicts on them. The moderator who imposed the ban cannot decide its appeal."""

from __future__ import annotations

import msgspec

from handlers.console.base import ConsoleHandler
from models.errors import Invalid
from models.security.audit_log import why


class VerdictForm(msgspec.Struct):
    """`reply` is shown to the user."""

    verdict: str = ""
    reply: str = ""


class AppealsHandler(ConsoleHandler):
    async def show_all(self, problem: Invalid | None = None) -> None:
        self.show("console/appeals.html", problem=problem, appeals=await self.models.appeals.queue())


class AppealQueueHandler(AppealsHandler):
    """GET /admin/appeals."""

    async def get(self) -> None:
        await self.show_all()


class AppealVerdictHandler(AppealsHandler):
    """POST /admin/appeals/BAN."""

    async def post(self, ban_id: str) -> None:
        form = self.read(VerdictForm)
        try:
            await self.models.appeals.judge(ban_id, self.who().staff_id, form.verdict, why(form.reply))
        except Invalid as problem:
            return await self.show_all(problem)
        return self.done("/admin/appeals")
