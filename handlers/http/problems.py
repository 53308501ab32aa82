"""Exceptions as Problems that can be rendered, and whether they must be logged."""

from __future__ import annotations

from urllib.parse import urlencode

from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError, RequestHandler

from models.errors import (
    AgeUnproven,
    BadRequest,
    Banned,
    MethodNotAllowed,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Problem,
    TermsChanged,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)
from models.safety.ban_notices import BanNotice

KINDS = {
    400: BadRequest,
    403: NotAllowed,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedMedia,
}
UNKNOWN = RequestHandler.get
ACCEPT_TERMS = "/terms/accept"
# Users who lack a step are redirected to it.
WAYS_ON = {"not_signed_in": "/onboarding", "payment_required": "/paywall", "selfie_required": "/onboarding"}


def as_problem(error: BaseException | None, status: int) -> Problem:
    if isinstance(error, Problem):
        return error
    return KINDS.get(status, Problem)()


def way_on(problem: Problem, request: HTTPServerRequest, *, was_here: bool) -> str | None:
    """The page for the step that the user lacks; a user whose session has ended is sent to sign in.

    A fragment has no room for a ban: a banned user is redirected to the page about it.
    """
    if (
        isinstance(problem, Banned)
        and isinstance(problem.notice, BanNotice)
        and "HX-Request" in request.headers
    ):
        return problem.notice.appeal_url
    if isinstance(problem, AgeUnproven):
        return "/age"
    if isinstance(problem, TermsChanged):
        is_page = request.method in ("GET", "HEAD") and "HX-Request" not in request.headers
        return f"{ACCEPT_TERMS}?{urlencode({'next': request.path})}" if is_page else ACCEPT_TERMS
    if request.method not in ("GET", "HEAD"):
        return None
    if problem.code == NotSignedIn.code and was_here:
        is_page = "HX-Request" not in request.headers
        return "/login?" + urlencode({"next": request.path}) if is_page else "/login"
    return WAYS_ON.get(problem.code)


def is_our_fault(error: BaseException | None) -> bool:
    """False for rejections, and for outages, which are logged where they occur."""
    if isinstance(error, Problem):
        return error.status >= 500 and not isinstance(error, Unavailable)
    return not (isinstance(error, HTTPError) and error.status_code < 500)


def methods_of(handler: type[RequestHandler]) -> list[str]:
    """The methods that the URL supports (RFC 9110, 15.5.6)."""
    known = ("GET", "POST", "PATCH", "DELETE")
    own = [method for method in known if getattr(handler, method.lower()) is not UNKNOWN]
    return [*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"]
