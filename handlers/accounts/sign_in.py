"""Sign-up of guests, upgrade to an account, sign-in and sign-out."""

from __future__ import annotations

import msgspec

from handlers.base import cookies
from handlers.base.handler import BaseHandler
from handlers.http.redirects import STEPS, is_own_path
from handlers.profiles.settings import settings_context
from models.accounts.age_gate import TOO_YOUNG
from models.accounts.sign_up import next_step
from models.errors import Conflict, Invalid, NotAllowed, NotSignedIn, Problem
from models.security.sessions import SignedIn


class GuestForm(msgspec.Struct, rename="camel"):
    """Missing fields count as empty, so that every fault is reported at once."""

    name: str = ""
    gender: str = ""
    adult: bool = False
    invite_code: str | None = None
    introduce: str | None = None
    birth_date: str | None = None


class AccountForm(msgspec.Struct, rename="camel"):
    email: str = ""
    password: str = ""
    next: str = ""


class GuestHandler(BaseHandler):
    """POST /auth/guest: JSON gets the token, a browser gets the cookie and the next step."""

    async def post(self) -> None:
        if self.member is not None and self.is_page:
            return self.go("/onboarding")
        try:
            cookies.refuse_too_young(self)
            signed_in = await self._sign_up(self.read(GuestForm))
        except Invalid as problem:
            return await self._form_again(problem)
        except NotAllowed:
            return self._too_young()
        return self._welcome(signed_in)

    async def _sign_up(self, form: GuestForm) -> SignedIn:
        return await self.models.sign_up.guest(
            form.name,
            form.gender,
            adult=form.adult,
            invite_code=form.invite_code,
            address=self.address,
            introduce=form.introduce,
            birth_date=form.birth_date,
            browser=self.request.headers.get("User-Agent", ""),
        )

    def _too_young(self) -> None:
        if not self.is_page:
            raise NotAllowed(TOO_YOUNG)
        cookies.remember_too_young(self)
        return self.go("/too-young")

    def _welcome(self, signed_in: SignedIn) -> None:
        if not self.is_page:
            return self.json(signed_in.as_json(), 201)
        cookies.sign_in(self, signed_in.token)
        return self.go("/onboarding")

    async def _form_again(self, problem: Invalid) -> None:
        """Reports an invite code that does not work and leaves it out of the form, so that the next try
        succeeds.
        """
        invite, introduce = None, self.sent().get("introduce") or ""
        introduction = await self.models.introductions.find(str(introduce)) if introduce else None
        context = {"step": "profile", "introduction": introduction, "introduce": introduce}
        if self.is_page and "inviteCode" not in (problem.fields or {}):
            code = self.sent().get("inviteCode")
            invite = (await self.models.sign_up.invitation(code, self.address)).preview
        self.form_again(
            problem,
            "accounts/onboarding/page.html",
            fragment="accounts/onboarding/_form.html",
            invite=invite,
            **context,
        )


class UpgradeHandler(BaseHandler):
    """POST /auth/upgrade: turns the guest into an account holder.

    A browser is redirected to the recovery codes.
    """

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        form = self.read(AccountForm)
        try:
            upgraded = await self.models.accounts.upgrade(member, form.email, form.password, self.address)
        except (Conflict, Invalid) as problem:
            return await self._form_again(problem)
        if not self.is_page:
            return self.json(upgraded.as_json())
        cookies.sign_in(self, upgraded.signed_in.token)
        cookies.hand_over_codes(self, upgraded.recovery_codes)
        return self.go("/settings/recovery-codes")

    async def _form_again(self, problem: Problem) -> None:
        if not problem.fields:
            raise problem
        context = {"form": "keep", **await settings_context(self)}
        self.form_again(
            problem, "profiles/settings/page.html", fragment="profiles/settings/_keep.html", **context
        )


class LoginPageHandler(BaseHandler):
    """GET /login: explains why a session ended on this device, and lets it sign in again."""

    async def get(self) -> None:
        if self.member is not None and self.member.is_account:
            return self.go(STEPS[next_step(self.member)])
        token = self.session_token if self.member is None else None
        ended = await self.models.sessions.why_ended(token) if token else None
        return self.page("accounts/login/page.html", ended=ended, next=self.get_query_argument("next", ""))


class LoginHandler(BaseHandler):
    """POST /auth/login: JSON gets the token; a browser gets the cookie and is redirected to `next`."""

    async def post(self) -> None:
        form = self.read(AccountForm)
        try:
            signed_in = await self.models.accounts.login(form.email, form.password, self.address, self.member)
        except (Invalid, NotSignedIn) as problem:
            return self._form_again(problem, form.next)
        return welcome(self, signed_in, form.next)

    def _form_again(self, problem: Problem, wanted: str) -> None:
        """Shows the form again. For a page, a wrong password is a fault of the field."""
        if self.is_page and not problem.fields:
            problem = Invalid(password=problem.message)
        self.form_again(
            problem, "accounts/login/page.html", fragment="accounts/login/_form.html", ended=None, next=wanted
        )


class LogoutHandler(BaseHandler):
    """POST /auth/logout: ends the session and closes its sockets. A browser may send it twice."""

    async def post(self) -> None:
        if not self.is_page:
            await self.models.sessions.end(self.signed_in().session_id, "signed_out")
            return self.nothing()
        if self.member is not None:
            await self.models.sessions.end(self.member.session_id, "signed_out")
        cookies.sign_out(self)
        return self.go("/")


def welcome(handler: BaseHandler, signed_in: SignedIn, wanted: str = "") -> None:
    """JSON gets the token; a browser gets the cookie and is redirected to `wanted` or its next step."""
    if not handler.is_page:
        return handler.json(signed_in.as_json())
    cookies.sign_in(handler, signed_in.token)
    step = next_step(signed_in.member)
    return handler.go(wanted if step == "done" and is_own_path(wanted) else STEPS[step])
