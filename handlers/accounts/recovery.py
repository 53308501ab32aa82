"""Account recovery by a recovery code or by a link sent by e-mail."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.accounts.sign_in import welcome
from handlers.base.handler import BaseHandler
from models.errors import Invalid, NotSignedIn, Problem


class RecoverForm(msgspec.Struct, rename="camel"):
    email: str = ""
    code: str = ""
    password: str = ""


class RecoveryLinkForm(msgspec.Struct, rename="camel"):
    email: str = ""


class ResetForm(msgspec.Struct, rename="camel"):
    link: str = ""
    password: str = ""


class RecoverPageHandler(BaseHandler):
    """GET /recover, with `?by=mail` to ask for a link, and `?link=` from the e-mail."""

    is_private = True

    async def get(self) -> None:
        link = self.get_query_argument("link", "")
        if not link:
            return show(self, form="link" if self.get_query_argument("by", "") == "mail" else "code")
        if await self.models.recovery.is_link(link):
            return show(self, form="reset", link=link)
        return show(self, form="link", is_dead=True)


class RecoverHandler(BaseHandler):
    """POST /auth/recover: a recovery code and a new password."""

    async def post(self) -> None:
        form = self.read(RecoverForm)
        try:
            signed = await self.models.recovery.by_code(
                form.email, form.code, form.password, self.address, self.member
            )
        except (Invalid, NotSignedIn) as problem:
            return show_again(self, problem, "code", "code")
        return welcome(self, signed)


class RecoveryLinkHandler(BaseHandler):
    """POST /auth/recovery-link: the answer is the same whether the address has an account or not."""

    async def post(self) -> None:
        form = self.read(RecoveryLinkForm)
        try:
            await self.models.recovery.send_link(form.email, self.address)
        except Invalid as problem:
            return show_again(self, problem, "link", "email")
        if not self.is_page:
            return self.nothing()
        return self.go("/recover/sent")


class LinkSentHandler(BaseHandler):
    """GET /recover/sent"""

    def get(self) -> None:
        show(self, form="sent")


class ResetHandler(BaseHandler):
    """POST /auth/reset: the token of a link and a new password."""

    is_private = True

    async def post(self) -> None:
        form = self.read(ResetForm)
        try:
            signed = await self.models.recovery.by_link(form.link, form.password, self.address, self.member)
        except (Invalid, NotSignedIn) as problem:
            return show_again(self, problem, "reset", "password", link=form.link)
        return welcome(self, signed)


def show(handler: BaseHandler, *, form: str, link: str = "", is_dead: bool = False) -> None:
    handler.page("accounts/recover/page.html", **context_of(handler, form, link, is_dead))


def context_of(handler: BaseHandler, form: str, link: str = "", is_dead: bool = False) -> dict[str, Any]:
    by_mail = handler.models.recovery.by_mail
    return {"form": form, "link": link, "is_dead": is_dead, "by_mail": by_mail}


def show_again(handler: BaseHandler, problem: Problem, form: str, field: str, *, link: str = "") -> None:
    """Shows the form show_again. For a page, a problem without a field is shown at `field`."""
    if handler.is_page and not problem.fields:
        problem = Invalid(**{field: problem.message})
    context = context_of(handler, form, link)
    handler.form_again(
        problem, "accounts/recover/page.html", fragment=f"accounts/recover/_{form}.html", **context
    )
