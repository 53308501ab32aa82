"""/notice: reports of illegal content by anyone, without a session, and their status pages."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler
from models.errors import Invalid
from models.messages import instant
from models.safety.notices import OUTCOMES, NewNotice, Notice

PAGE, FORM = "safety/notices/page.html", "safety/notices/_notice.html"


class NoticeForm(msgspec.Struct, rename="camel"):
    """`emptyField` is hidden from people; only robots fill it in."""

    kind: str = ""
    where: str = ""
    why: str | None = None
    email: str = ""
    name: str | None = None
    good_faith: bool = False
    empty_field: str = ""

    def as_new(self) -> NewNotice:
        return NewNotice(
            kind=self.kind,
            where=self.where,
            why=self.why or "",
            email=self.email,
            name=self.name or "",
            has_good_faith=self.good_faith,
            empty_field=self.empty_field,
        )


class NoticeHandler(BaseHandler):
    """GET /notice?kind=, POST /notice."""

    async def get(self) -> None:
        self.page(PAGE, fragment=FORM, kind=self.get_query_argument("kind", ""))

    async def post(self) -> None:
        form = self.read(NoticeForm)
        try:
            receipt = await self.models.notices.file(form.as_new(), self.address)
        except Invalid as problem:
            if not self.is_page:
                raise
            return self.form_again(problem, PAGE, fragment=FORM, kind=form.kind)
        if not self.is_page:
            return self.json(receipt, 201)
        return self.go(receipt.status_url)


class NoticeStatusHandler(BaseHandler):
    """GET /notice/TOKEN: what became of a notice; the token replaces a session."""

    is_private = True

    async def get(self, token: str) -> None:
        notice = await self.models.notices.by_token(token)
        if not self.is_page:
            return self.json(wire(notice))
        return self.page("safety/notices/status.html", notice=notice, outcomes=OUTCOMES)


def wire(notice: Notice) -> dict[str, object]:
    """`{reference, kind, filedAt, dueAt, outcome, reply, decidedAt}`."""
    return {
        "reference": notice.reference,
        "kind": notice.kind,
        "filedAt": instant(notice.created_at),
        "dueAt": instant(notice.due_at) if notice.due_at else None,
        "outcome": notice.outcome,
        "reply": notice.reply,
        "decidedAt": instant(notice.decided_at) if notice.decided_at else None,
    }
