"""/terms/accept: members are asked again when the terms have changed."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler
from handlers.http.redirects import safe
from models.errors import Conflict, Invalid

UNTICKED = "Tick the box if you accept the terms."


class TermsForm(msgspec.Struct, rename="camel"):
    version: str = ""
    accept: bool = False
    next: str = ""


class TermsAcceptanceHandler(BaseHandler):
    is_private = True

    def get(self) -> None:
        member = self.allowed(access=False, selfie=False)
        wanted = self.get_query_argument("next", "")
        if not self.is_page:
            current = self.models.terms.current
            asked = {"version": current.version, "text": current.text}
            return self.json(asked | {"isAccepted": member.has_accepted_terms})
        if member.has_accepted_terms:
            return self.go(safe(wanted))
        return self.page("accounts/terms/page.html", next=wanted)

    async def post(self) -> None:
        member, form = self.allowed(access=False, selfie=False), self.read(TermsForm)
        try:
            if not form.accept:
                raise Invalid(accept=UNTICKED)
            await self.models.terms.accept(member.user_id, form.version)
        except (Conflict, Invalid) as problem:
            return self._form_again(problem, form.next)
        return self.go(safe(form.next)) if self.is_page else self.nothing()

    def _form_again(self, problem: Conflict | Invalid, wanted: str) -> None:
        """The page has the text: htmx gets all of it."""
        if self.is_page:
            problem = Invalid(**(problem.fields or {"accept": problem.message}))
        whole = "accounts/terms/page.html"
        self.form_again(problem, whole, fragment=whole, next=wanted)
