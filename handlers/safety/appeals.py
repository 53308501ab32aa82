"""/appeal?token=: why a user is banned, and their appeal; the token replaces the session."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from handlers.base.handler import BaseHandler
from models.errors import Conflict, Invalid, Problem
from models.messages import instant
from models.safety.appeals import Appeal
from models.safety.ban_notices import BanNotice
from models.safety.decisions.clauses import Clause, clause_of


class AppealForm(msgspec.Struct, rename="camel"):
    token: str
    text: str = ""


class AppealHandler(BaseHandler):
    is_private = True

    async def get(self) -> None:
        token = self.get_query_argument("token", "")
        notice = self.refusal.notice if self.refusal else None
        if not token and isinstance(notice, BanNotice):
            return self.go(notice.appeal_url)
        appeal = await self.models.appeals.get(token)
        if not self.is_page:
            return self.json(wire(appeal, clause_of(appeal.rule, self.config)))
        if appeal.is_over and (newer := await self.models.ban_notices.find(appeal.user_id)):
            return self.go(newer.appeal_url)
        return self.page(
            "safety/appeals/page.html", fragment="safety/appeals/_appeal.html", appeal=appeal, token=token
        )

    async def post(self) -> None:
        form = self.read(AppealForm)
        try:
            await self.models.appeals.file(form.token, form.text)
        except (Conflict, Invalid) as problem:
            return await self._form_again(problem, form.token)
        if not self.is_page:
            return self.json({}, 201)
        return self.go("/appeal?" + urlencode({"token": form.token}))

    async def _form_again(self, problem: Problem, token: str) -> None:
        """Shows the form again, or the first appeal if there is one."""
        if not self.is_page or not problem.fields:
            raise problem
        appeal = await self.models.appeals.get(token)
        context = {"appeal": appeal, "token": token}
        self.form_again(
            problem, "safety/appeals/page.html", fragment="safety/appeals/_appeal.html", **context
        )


def wire(appeal: Appeal, clause: Clause) -> dict[str, object]:
    """`{rule, clause, isAutomatic, reason, until, isOver, filedAt, verdict, reply}`."""
    return {
        "rule": appeal.rule,
        "clause": clause.text,
        "isAutomatic": appeal.is_automatic,
        "reason": appeal.reason,
        "until": instant(appeal.until_at) if appeal.until_at else None,
        "isOver": appeal.is_over,
        "filedAt": instant(appeal.filed_at) if appeal.filed_at else None,
        "verdict": appeal.verdict,
        "reply": appeal.reply,
    }
