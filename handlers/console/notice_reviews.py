"""Undecided notices, and the decisions about them."""

from __future__ import annotations

import msgspec

from handlers.console.base import ConsoleHandler
from models.errors import Invalid
from models.ids import is_id
from models.safety.notices import PAGE
from models.security.audit_log import why


class OutcomeForm(msgspec.Struct):
    """`reply` is shown to the sender of the notice."""

    outcome: str = ""
    reply: str = ""


class NoticesHandler(ConsoleHandler):
    async def show_all(self, problem: Invalid | None = None, after: str | None = None) -> None:
        notices = await self.models.notices.queue(after)
        self.show("console/notices.html", problem=problem, notices=notices, has_more=len(notices) == PAGE)


class NoticeQueueHandler(NoticesHandler):
    """GET /admin/notices?after=: undecided notices, one page after the given one."""

    async def get(self) -> None:
        after = self.get_query_argument("after", "")
        if after and not is_id(after):
            raise Invalid(after="This is not the id of a notice.")
        await self.show_all(after=after or None)


class NoticeDecisionHandler(NoticesHandler):
    """POST /admin/notices/ID."""

    async def post(self, notice_id: str) -> None:
        form = self.read(OutcomeForm)
        try:
            await self.models.notices.decide(notice_id, self.who().staff_id, form.outcome, why(form.reply))
        except Invalid as problem:
            return await self.show_all(problem)
        return self.done("/admin/notices")
