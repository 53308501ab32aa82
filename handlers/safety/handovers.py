"""/appeals/…: the operator's page of an appeal that was handed over; its token replaces a session."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from handlers.base.file_response import FileHandler
from handlers.base.handler import BaseHandler
from models.errors import Invalid
from models.safety.decisions.handovers import Subject
from models.security.audit_log import OPERATOR, why

PAGE = "safety/appeals/handed.html"


class HandoverForm(msgspec.Struct):
    """`reply` is shown to the user."""

    verdict: str = ""
    reply: str = ""


class HandoverHandler(BaseHandler):
    """GET, POST /appeals/ban|removal/ID/TOKEN."""

    is_private = True

    async def get(self, subject: str, about_id: str, token: str) -> None:
        await self._show(subject, about_id, token)

    async def post(self, subject: str, about_id: str, token: str) -> None:
        await self.models.decisions.handovers.check(cast("Subject", subject), about_id, token)
        form, models = self.read(HandoverForm), self.models
        judge = models.appeals.judge if subject == "ban" else models.decisions.removal_appeals.judge
        try:
            await judge(about_id, OPERATOR, form.verdict, why(form.reply))
        except Invalid as problem:
            return await self._show(subject, about_id, token, problem)
        return self.page("safety/appeals/handed_done.html") if self.is_page else self.nothing()

    async def _show(self, subject: str, about_id: str, token: str, problem: Invalid | None = None) -> None:
        """The open appeal; 404 once it was decided."""
        models = self.models
        await models.decisions.handovers.check(cast("Subject", subject), about_id, token)
        open_one = models.appeals.open if subject == "ban" else models.decisions.removal_appeals.get
        context: dict[str, Any] = {
            "subject": subject,
            "appeal": await open_one(about_id),
            "path": self.request.path,
        }
        if problem is not None:
            return self.form_again(problem, PAGE, fragment=PAGE, **context)
        return self.page(PAGE, **context)


class HandedFileHandler(FileHandler):
    """GET /appeals/removal/ID/TOKEN/file: the file that was removed."""

    is_private = True

    async def get(self, subject: str, removal_id: str, token: str) -> None:
        await self.models.decisions.handovers.check(cast("Subject", subject), removal_id, token)
        await self.answer(
            await self.models.decisions.removal_appeals.shown_file(removal_id, OPERATOR), "no-store"
        )
