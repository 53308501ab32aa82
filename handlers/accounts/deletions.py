"""Deletion of one's own profile: the page that explains it, the form, and the confirmation."""

from __future__ import annotations

import msgspec

from handlers.base import cookies
from handlers.base.handler import BaseHandler
from models.accounts.deletions import WORD
from models.errors import Invalid, NotAllowed


class DeletionForm(msgspec.Struct, rename="camel"):
    confirm: str = ""
    current_password: str = ""


class DeletionHandler(BaseHandler):
    """GET, POST /settings/delete: 204 for an API client, the confirmation page for a browser."""

    async def get(self) -> None:
        self.allowed(access=False, selfie=False)
        self.page("accounts/deletions/page.html", word=WORD)

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        form = self.read(DeletionForm)
        try:
            await self.models.deletions.delete_own(member, form.confirm, form.current_password, self.address)
        except (Invalid, NotAllowed) as problem:
            return self._form_again(problem)
        return self._goodbye()

    def _form_again(self, problem: Invalid | NotAllowed) -> None:
        if self.is_page:
            problem = Invalid(**(problem.fields or {}))
        self.form_again(
            problem, "accounts/deletions/page.html", fragment="accounts/deletions/_form.html", word=WORD
        )

    def _goodbye(self) -> None:
        if not self.is_page:
            return self.nothing()
        cookies.sign_out(self)
        return self.go("/deleted")


class DeletedHandler(BaseHandler):
    """GET /deleted: the confirmation. Signed-in members go to the settings."""

    def get(self) -> None:
        if self.member is not None:
            return self.go("/settings")
        return self.page("accounts/deletions/done.html")
