"""Sign-in to the console: password, then second factor; and enrolment of new staff by a link."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.console.base import SECOND_FACTOR, SIGN_IN, OpenConsoleHandler
from models.errors import Invalid, NotSignedIn


class SignInForm(msgspec.Struct):
    name: str = ""
    password: str = ""


class DigitsForm(msgspec.Struct):
    code: str = ""


class EnrolForm(msgspec.Struct):
    link: str = ""
    password: str = ""
    code: str = ""


class SignInHandler(OpenConsoleHandler):
    """GET, POST /admin/sign-in: the password; the second factor follows."""

    def get(self) -> None:
        if self.staff is not None:
            return self.go("/admin" if self.staff.has_passed else SECOND_FACTOR)
        return self.page("console/sign_in/page.html")

    async def post(self) -> None:
        form = self.read(SignInForm)
        try:
            token = await self.models.staff_sign_in.first(form.name, form.password, self.address)
        except NotSignedIn as problem:
            wrong = Invalid(password=problem.message) if self.is_page else problem
            return self.form_again(wrong, "console/sign_in/page.html", fragment="console/sign_in/page.html")
        self.keep_token(token)
        return self.go(SECOND_FACTOR)


class SecondFactorHandler(OpenConsoleHandler):
    """GET, POST /admin/second-factor: only after the password."""

    def get(self) -> None:
        if self.staff is None or self.staff.has_passed:
            return self.go("/admin" if self.staff else SIGN_IN)
        return self.page("console/sign_in/second_factor.html")

    async def post(self) -> None:
        if self.staff is None or self.staff.has_passed:
            raise NotSignedIn
        try:
            token = await self.models.staff_sign_in.second(self.staff, self.read(DigitsForm).code)
        except NotSignedIn as problem:
            wrong = Invalid(code=problem.message) if self.is_page else problem
            name = "console/sign_in/second_factor.html"
            return self.form_again(wrong, name, fragment=name)
        self.keep_token(token)
        return self.go("/admin")


class SignOutHandler(OpenConsoleHandler):
    """POST /admin/sign-out; idempotent."""

    async def post(self) -> None:
        if self.staff is not None:
            await self.models.staff_sign_in.out(self.staff)
        self.keep_token("")
        return self.go(SIGN_IN)


class EnrolHandler(OpenConsoleHandler):
    """GET, POST /admin/enrol: sets a password and a second factor. The link works once."""

    async def get(self) -> None:
        await self._show(self.get_query_argument("link", ""))

    async def post(self) -> None:
        form = self.read(EnrolForm)
        try:
            token = await self.models.staff.enrol(form.link, form.password, form.code)
        except Invalid as problem:
            return await self._show(form.link, problem)
        self.keep_token(token)
        return self.go("/admin")

    async def _show(self, link: str, problem: Invalid | None = None) -> None:
        who = await self.models.staff.enrolment(link)
        secret = await self.models.second_factors.secret(who.seed)
        context: dict[str, Any] = {"link": link, "name": who.name, "secret": secret}
        if problem is None:
            return self.page("console/sign_in/enrol.html", **context)
        return self.form_again(
            problem, "console/sign_in/enrol.html", fragment="console/sign_in/enrol.html", **context
        )


class EnrolQrHandler(OpenConsoleHandler):
    """GET /admin/enrol/qr.svg?link=: the QR code for the authenticator app."""

    async def get(self) -> None:
        who = await self.models.staff.enrolment(self.get_query_argument("link", ""))
        uri = await self.models.second_factors.uri(who.seed, who.name)
        self.set_header("Content-Type", "image/svg+xml")
        self.set_header("Cache-Control", "no-store")
        self.finish(await self.models.invite_codes.draw_svg(uri))
