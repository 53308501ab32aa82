"""The base of every HTTP handler: session, body, answers, and the rendering of errors.

One URL answers browsers with a page or an htmx fragment, and clients that ask for `application/json` with
JSON. A Problem raised below is rendered in the same form.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from handlers.base import cookies
from handlers.base.application import SiteHandler
from handlers.http import bodies, origins
from handlers.http.problems import as_problem, is_our_fault, methods_of, way_on
from handlers.http.redirects import tidied
from handlers.http.request import bearer_of, client_address, field_of, form_fields, json_fields
from models.errors import (
    Banned,
    Invalid,
    MethodNotAllowed,
    NotFound,
    NotSignedIn,
    Problem,
)
from models.security.member import Member

logger = logging.getLogger("napalmsky.http")
Form = TypeVar("Form", bound=msgspec.Struct)


class BaseHandler(SiteHandler):
    """Base of every handler; `application` is the Site with its models, pages, hub and config."""

    # Health checks and media are requested often, and by machines: they are not counted. Private: not cached.
    is_counted, is_private = True, False

    def initialize(self) -> None:
        self.models = self.application.models
        self.config = self.application.config
        self.member: Member | None = None
        self.refusal: Banned | None = None  # The notice of the active ban, if there is one.
        self.application.requests.began()

    def on_finish(self) -> None:
        self.application.requests.ended()

    # -- the user --

    @property
    def address(self) -> str:
        return client_address(self.request, self.config.trusted_proxies)

    @property
    def bearer(self) -> str | None:
        return bearer_of(self.request) or None

    @property
    def session_token(self) -> str | None:
        """The Bearer token if that scheme is used, even without a token; otherwise the cookie's."""
        bearer = bearer_of(self.request)
        return bearer if bearer is not None else self.get_cookie(self.application.session_cookie)

    @property
    def wants_json(self) -> bool:
        accept = self.request.headers.get("Accept", "")
        return "application/json" in accept and "text/html" not in accept

    @property
    def is_htmx(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    @property
    def is_page(self) -> bool:
        """Whether a browser's page, form or htmx sent the request: the answer is HTML, never with a token."""
        if self.is_htmx or "text/html" in self.request.headers.get("Accept", ""):
            return True
        return not (self.wants_json or self._sent_json or self.bearer)

    async def prepare(self) -> None:
        origins.allow_cross_origin(self, self.config)
        self.application.misconfigurations.watch(self.request, self.config)
        if self.request.method not in ("GET", "HEAD", "OPTIONS"):
            origins.refuse_foreign(self.request, self.config, self.application.misconfigurations)
        self.member, self.refusal = await self.models.admission.of(self.session_token)
        if self.member is not None and self.is_counted:
            await self.models.rate_limits.hit("api", self.member.user_id)

    def signed_in(self) -> Member:
        """The member. Raises: Banned (the ban has ended their session), NotSignedIn."""
        if self.member is None:
            raise self.refusal or NotSignedIn()
        return self.member

    def allowed(
        self, *, access: bool = True, selfie: bool = True, terms: bool = False, age: bool = False
    ) -> Member:
        """The member, checked in order: session, ban, terms and age (also for access), access, selfie."""
        member = self.signed_in()
        if member.is_banned:
            raise self.refusal or Banned()
        member.check(terms=access or terms, age=access or age, access=access, selfie=selfie)
        return member

    def check_xsrf_cookie(self) -> None:
        """Required for every write with our cookie or as a form; a Bearer token needs none."""
        bodies.refuse_unread(self.request)
        if self.request.method not in methods_of(type(self)):
            return  # 405 is the better answer.
        kind = self.request.headers.get("Content-Type", "")
        is_form = kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
        if self.bearer is None and (is_form or self.get_cookie(self.application.session_cookie) is not None):
            if self.is_page:
                cookies.check_they_come_back(self)
            cookies.check_token(self)

    # -- what they sent --

    def read(self, kind: type[Form]) -> Form:
        """The body, JSON or form, as `kind`.

        Raises: BadRequest (cannot be parsed), Invalid (names the field).
        """
        fields = self.sent()
        try:
            return msgspec.convert(fields, kind, strict=self._sent_json)
        except msgspec.ValidationError as error:
            name, text = field_of(str(error))
            raise Invalid(**{name: text}) from error

    @property
    def _sent_json(self) -> bool:
        return self.request.headers.get("Content-Type", "").startswith("application/json")

    def sent(self) -> dict[str, Any]:
        """The fields of the body, not validated."""
        if self._sent_json:
            return json_fields(self.request.body)
        return form_fields(self.request.body_arguments)

    # -- how it is answered --

    def set_default_headers(self) -> None:
        for name, value in self.application.security_headers.items():
            self.set_header(name, value)
        self.clear_header("Server")
        if self.application.requests.is_draining:
            self.set_header("Connection", "close")

    def json(self, body: object, status: int = 200) -> None:
        """Answers with JSON in camelCase; sets no cookie, is never cached."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        self.add_header("Vary", "Accept")
        self.finish(msgspec.json.encode(body))

    def page(
        self, template: str, *, status: int = 200, fragment: str | None = None, **context: object
    ) -> None:
        """Answers with the whole page, or with its fragment for htmx; private for members."""
        self.set_status(status)
        self.add_header("Vary", "HX-Request, Accept, Cookie")
        is_private = self.is_private or self.member or self.refusal
        self.set_header("Cache-Control", "no-store" if is_private else "no-cache")
        if self.bearer is None:
            cookies.renew(self, self.member)
        name = fragment if fragment is not None and self.is_htmx else template
        self.finish(self.application.pages.render(name, self.page_context(context)))

    def compute_etag(self) -> str | None:
        """None for answers that may not be cached: no client can revalidate them."""
        return None if self._headers.get("Cache-Control") == "no-store" else super().compute_etag()

    def page_context(self, context: Mapping[str, object]) -> dict[str, object]:
        common: dict[str, object] = {"values": {}, "errors": {}, "current_path": self.request.path}
        return common | {"member": self.member, "xsrf": self.xsrf_token.decode()} | dict(context)

    def go(self, path: str) -> None:
        """Redirects after a form: 303 for plain browsers, an htmx redirect for htmx."""
        if self.is_htmx:
            self.set_status(200)
            self.set_header("HX-Redirect", path)
        else:
            self.set_status(303)
            self.set_header("Location", path)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def nothing(self) -> None:
        """Answers with 204."""
        self.set_status(204)
        self.set_header("Cache-Control", "no-store")
        self.finish()

    def form_again(self, problem: Problem, template: str, *, fragment: str, **context: object) -> None:
        """Answers with the form, its errors and the values sent; JSON clients get the problem itself."""
        if not self.is_page:
            raise problem
        fields = {"values": self.sent(), "errors": problem.fields or {}}
        self.page(template, status=problem.status, fragment=fragment, **fields, **context)

    def head(self, *args: str) -> Any:
        """The headers of GET without a body (RFC 9110, 9.3.2)."""
        return self.get(*args)

    def options(self, *_: str) -> None:
        self.nothing()

    # -- errors --

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = as_problem(kwargs["exc_info"][1] if "exc_info" in kwargs else None, status_code)
        self.application.misconfigurations.note_problem(problem)
        origins.allow_cross_origin(self, self.config)
        self.set_status(problem.status)
        if problem.retry_after is not None:
            self.set_header("Retry-After", str(problem.retry_after))
        if problem.status == MethodNotAllowed.status:
            self.set_header("Allow", ", ".join(methods_of(type(self))))
        if self.is_page:
            return self.show_problem(problem)
        return self.json({"error": problem.as_json()}, problem.status)

    def show_problem(self, problem: Problem) -> None:
        """Answers with an error page or fragment. A member who lacks a step is redirected to it."""
        step = way_on(problem, self.request, was_here=bool(self.get_cookie(self.application.session_cookie)))
        if step is not None:
            return self.go(step)
        context: dict[str, Any] = {"status": problem.status, "problem": problem}
        return self.page("public/errors/page.html", fragment="public/errors/_error.html", **context)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Logs internal errors with their traceback."""
        if is_our_fault(value):
            logger.error("%s %s failed", self.request.method, self.request.path, exc_info=(typ, value, tb))


class NotFoundHandler(BaseHandler):
    """Every URL that is not in `handlers.routes`."""

    async def prepare(self) -> None:
        await super().prepare()
        path = tidied(self.request.path)
        if self.request.method in ("GET", "HEAD") and path != self.request.path:
            return self.redirect(path + self.request.uri[len(self.request.path) :], status=308)
        raise NotFound("This page does not exist, or it is not yours to see.")
