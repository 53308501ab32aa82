"""Changes of password, e-mail and recovery codes on the settings page."""

from __future__ import annotations

import msgspec

from handlers.base import cookies
from handlers.base.application import SiteHandler
from handlers.base.handler import BaseHandler
from handlers.profiles.settings import settings_context
from models.errors import Conflict, Invalid, NotAllowed, Problem
from models.security.member import Member

# A cookie that carries new recovery codes to the page that shows them once.
CODES_COOKIE = "recovery-codes"
CODES_PATH = "/settings/recovery-codes"
CODES_DAYS = 10 / (24 * 60)


class PasswordForm(msgspec.Struct, rename="camel"):
    current_password: str = ""
    password: str = ""


class EmailForm(msgspec.Struct, rename="camel"):
    current_password: str = ""
    email: str = ""


class CodesForm(msgspec.Struct, rename="camel"):
    current_password: str = ""


class ChangeHandler(BaseHandler):
    """Base of the forms: calls a model, then shows the form with its faults or returns to the settings."""

    form = ""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        try:
            await self.change(member)
        except (Conflict, Invalid, NotAllowed) as problem:
            return await self._form_again(problem)
        return self.changed()

    async def change(self, member: Member) -> None:
        raise NotImplementedError

    def changed(self) -> None:
        if not self.is_page:
            return self.nothing()
        return self.go(f"/settings?saved={self.form}")

    async def _form_again(self, problem: Problem) -> None:
        if not problem.fields:
            raise problem
        if self.is_page and isinstance(problem, NotAllowed):
            problem = Invalid(**problem.fields)
        context = {"form": self.form, **await settings_context(self)}
        self.form_again(
            problem, "profiles/settings/page.html", fragment=f"profiles/settings/_{self.form}.html", **context
        )


class PasswordHandler(ChangeHandler):
    """POST /settings/password"""

    form = "password"

    async def change(self, member: Member) -> None:
        form = self.read(PasswordForm)
        changes = self.models.credentials
        await changes.password(member, form.current_password, form.password, self.address)


class EmailHandler(ChangeHandler):
    """POST /settings/email"""

    form = "email"

    async def change(self, member: Member) -> None:
        form = self.read(EmailForm)
        await self.models.credentials.email(member, form.current_password, form.email, self.address)
        await self.models.confirmations.send_first(member.user_id, self.address)


class RecoveryCodesHandler(ChangeHandler):
    """GET /settings/recovery-codes shows new codes once, later the number left; POST makes new ones."""

    form = "codes"

    async def get(self) -> None:
        member = self.allowed(access=False, selfie=False)
        if not member.is_account:
            return self.go("/settings")
        left = await self.models.recovery_codes.left(member.user_id)
        if not self.is_page:
            return self.json({"codesLeft": left})
        codes = take_codes(self)
        return self.page("accounts/recovery_codes/page.html", codes=codes, codes_left=left)

    async def change(self, member: Member) -> None:
        form = self.read(CodesForm)
        changes = self.models.credentials
        self.codes = await changes.recovery_codes(member, form.current_password, self.address)

    def changed(self) -> None:
        if not self.is_page:
            return self.json({"recoveryCodes": self.codes})
        hand_over_codes(self, self.codes)
        return self.go("/settings/recovery-codes")


def hand_over_codes(handler: SiteHandler, codes: list[str]) -> None:
    """Passes new codes to the next page in a cookie: no server stores them in plain text."""
    attributes = cookies.attributes(handler) | {"path": CODES_PATH}
    handler.set_cookie(CODES_COOKIE, ".".join(codes), expires_days=CODES_DAYS, **attributes)


def take_codes(handler: SiteHandler) -> list[str]:
    """The codes of `hand_over_codes`, once."""
    codes = handler.get_cookie(CODES_COOKIE)
    if not codes:
        return []
    attributes = cookies.attributes(handler) | {"path": CODES_PATH}
    handler.set_cookie(CODES_COOKIE, "", expires_days=-1, **attributes)
    return codes.split(".")
