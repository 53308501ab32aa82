"""Sign-in to an account, and sign-out."""

from __future__ import annotations

import msgspec

from handlers.base import cookies
from handlers.base.handler import BaseHandler
from handlers.http.redirects import STEPS, is_own_path
from models.accounts.sign_up import next_step
from models.errors import Invalid, NotSignedIn, Problem
from models.security.sessions import SignedIn


class LoginForm(msgspec.Struct, rename="camel"):
    email: str = ""
    password: str = ""
    next: str = ""


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
        form = self.read(LoginForm)
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
