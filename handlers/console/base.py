"""Base classes of the console's handlers: staff authentication and roles.

A user's session (cookie or bearer token) is not accepted here. Without a staff session, requests get 401 and
browsers are redirected to the sign-in page; moderators get 403 for admin pages. Every state change requires
the XSRF token, and responses are never cached.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from handlers.base import cookies
from handlers.base.handler import BaseHandler
from handlers.http import origins
from handlers.http.bodies import refuse_unread
from handlers.http.problems import methods_of
from models.console.sessions import StaffMember
from models.errors import NotAllowed, NotSignedIn, Problem
from models.messages import instant

SIGN_IN, SECOND_FACTOR = "/admin/sign-in", "/admin/second-factor"
NOT_YOURS = "This part of the console is for admins."


class OpenConsoleHandler(BaseHandler):
    """A page of the console that needs no sign-in."""

    is_private = True
    is_for_admins = False

    def initialize(self) -> None:
        super().initialize()
        self.staff: StaffMember | None = None

    async def prepare(self) -> None:
        if self.request.method not in ("GET", "HEAD", "OPTIONS"):
            origins.refuse_foreign(self.request, self.config, self.application.misconfigurations)
        self.staff = await self.models.staff_sessions.find(self.get_cookie(self.application.staff_cookie))

    def check_xsrf_cookie(self) -> None:
        """Always checks the token: bearer tokens are not accepted here."""
        refuse_unread(self.request)
        if self.request.method in methods_of(type(self)):
            if self.is_page:
                cookies.check_they_come_back(self)
            cookies.check_token(self)

    def page_context(self, context: Mapping[str, object]) -> dict[str, object]:
        return super().page_context({"staff": self.staff} | dict(context))

    def keep_token(self, token: str) -> None:
        """Sets a cookie until the browser closes; the session has its own expiry."""
        kind: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "Lax"}
        self.set_cookie(
            self.application.staff_cookie, token, expires_days=None, secure=self.config.is_secure, **kind
        )

    def show_problem(self, problem: Problem) -> None:
        is_look = self.request.method in ("GET", "HEAD")
        if problem.code == NotSignedIn.code and is_look:
            return self.go(SECOND_FACTOR if self.staff and not self.staff.has_passed else SIGN_IN)
        context = {"problem": problem, "back_href": "/admin", "back_text": "Back to the console"}
        return self.page(
            "console/problem.html", status=problem.status, fragment="public/errors/_error.html", **context
        )


class ConsoleHandler(OpenConsoleHandler):
    """A page for staff who have signed in with both factors."""

    async def prepare(self) -> None:
        await super().prepare()
        if self.request.method == "OPTIONS":
            return
        who = self.who()
        if self.is_for_admins and not who.is_admin:
            raise NotAllowed(NOT_YOURS)
        if not (self.is_htmx and self.request.method == "GET"):
            await self.models.staff_sessions.touch(who)

    def who(self) -> StaffMember:
        """The signed-in staff member. Raises: NotSignedIn."""
        if self.staff is None or not self.staff.has_passed:
            raise NotSignedIn
        return self.staff

    def show(
        self,
        template: str,
        *,
        fragment: str | None = None,
        problem: Problem | None = None,
        status: int = 200,
        **context: object,
    ) -> None:
        """Renders the page, with the errors of a submitted form; API clients get the same as JSON."""
        if problem is not None:
            return self.form_again(problem, template, fragment=fragment or template, **context)
        if not self.is_page:
            return self.json(as_json(context), status)
        return self.page(template, fragment=fragment, status=status, **context)

    def done(self, path: str) -> None:
        """After a form: redirects to a page; API clients get 204."""
        return self.go(path) if self.is_page else self.nothing()


class AdminHandler(ConsoleHandler):
    """A page for admins."""

    is_for_admins = True


def as_json(value: object) -> object:
    """Records as JSON values: field names in camelCase, instants in the API's format."""
    if isinstance(value, msgspec.Struct):
        return as_json(msgspec.structs.asdict(value))
    if isinstance(value, Mapping):
        return {camel(str(name)): as_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one) for one in value]
    return instant(value) if isinstance(value, datetime) else value


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
