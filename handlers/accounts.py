"""Signing up as a guest and signing out."""

from __future__ import annotations

import msgspec

from handlers import cookies
from handlers.base import BaseHandler
from models.errors import Invalid
from models.sign_up import SignedUp


class GuestForm(msgspec.Struct, rename="camel"):
    """What is left out counts as empty, so that every fault is told at once."""

    name: str = ""
    gender: str = ""
    adult: bool = False
    invite_code: str | None = None


class GuestHandler(BaseHandler):
    """POST /auth/guest: JSON gets the token, a browser gets the cookie and the next step."""

    async def post(self) -> None:
        if self.member is not None and self.is_page:
            return self.go("/onboarding")
        try:
            signed = await self._sign_up(self.read(GuestForm))
        except Invalid as problem:
            return await self._form_again(problem)
        return self._welcome(signed)

    async def _sign_up(self, form: GuestForm) -> SignedUp:
        return await self.models.sign_up.guest(
            form.name, form.gender, adult=form.adult, invite_code=form.invite_code, address=self.address
        )

    def _welcome(self, signed: SignedUp) -> None:
        if not self.is_page:
            return self.json(signed.as_json(), 201)
        cookies.sign_in(self, signed.token)
        return self.go("/onboarding")

    async def _form_again(self, problem: Invalid) -> None:
        """A code that does not work is named and left out, so that the next try goes without it."""
        invite = None
        if self.is_page and "inviteCode" not in (problem.fields or {}):
            invite = await self.models.sign_up.invitation(self.sent().get("inviteCode"), self.address)
        self.form_again(
            problem, "onboarding/page.html", fragment="onboarding/_form.html", step="profile", invite=invite
        )


class LogoutHandler(BaseHandler):
    """POST /auth/logout: the session ends, its sockets are closed; for a browser, twice is no fault."""

    async def post(self) -> None:
        if not self.is_page:
            await self.models.sessions.end(self.signed_in().session_id, "signed_out")
            return self.nothing()
        if self.member is not None:
            await self.models.sessions.end(self.member.session_id, "signed_out")
        cookies.sign_out(self)
        return self.go("/")
