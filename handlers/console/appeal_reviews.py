"""Open appeals against bans and removals, and the verdicts on them.

The moderator who decided cannot decide the appeal, but may hand it to the operator.
"""

from __future__ import annotations

import msgspec

from handlers.base.file_response import FileHandler
from handlers.console.base import ConsoleHandler
from models.errors import Invalid
from models.safety.decisions.decision_emails import operator_address
from models.security.audit_log import why

HAND_OVER = "hand_over"


class VerdictForm(msgspec.Struct):
    """`reply` is shown to the user; `hand_over` needs none."""

    verdict: str = ""
    reply: str = ""


class AppealsHandler(ConsoleHandler):
    async def show_all(self, problem: Invalid | None = None) -> None:
        models = self.models
        self.show(
            "console/appeals.html",
            problem=problem,
            appeals=await models.appeals.queue(),
            removals=await models.decisions.removal_appeals.queue(),
            may_hand_over=models.mail.is_on and operator_address(self.config) is not None,
        )


class AppealQueueHandler(AppealsHandler):
    """GET /admin/appeals."""

    async def get(self) -> None:
        await self.show_all()


class AppealVerdictHandler(AppealsHandler):
    """POST /admin/appeals/BAN."""

    async def post(self, ban_id: str) -> None:
        form, who = self.read(VerdictForm), self.who().staff_id
        try:
            if form.verdict == HAND_OVER:
                await self.models.appeals.hand_over(ban_id, who)
            else:
                await self.models.appeals.judge(ban_id, who, form.verdict, why(form.reply))
        except Invalid as problem:
            return await self.show_all(problem)
        return self.done("/admin/appeals")


class RemovalVerdictHandler(AppealsHandler):
    """POST /admin/removals/ID."""

    async def post(self, removal_id: str) -> None:
        form, who = self.read(VerdictForm), self.who().staff_id
        try:
            if form.verdict == HAND_OVER:
                await self.models.decisions.removal_appeals.hand_over(removal_id, who)
            else:
                await self.models.decisions.removal_appeals.judge(
                    removal_id, who, form.verdict, why(form.reply)
                )
        except Invalid as problem:
            return await self.show_all(problem)
        return self.done("/admin/appeals")


class RemovedFileHandler(FileHandler, ConsoleHandler):
    """GET /admin/removals/ID/file: the file of an open appeal against a removal."""

    async def get(self, removal_id: str) -> None:
        who = self.who().staff_id
        await self.answer(await self.models.decisions.removal_appeals.shown_file(removal_id, who), "no-store")
