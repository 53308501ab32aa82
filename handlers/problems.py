"""What went wrong, as a Problem that can be dressed, and whether the log must know."""

from __future__ import annotations

from tornado.web import HTTPError, RequestHandler

from models.errors import (
    BadRequest,
    MethodNotAllowed,
    NotAllowed,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)

KINDS = {
    400: BadRequest,
    403: NotAllowed,
    404: NotFound,
    405: MethodNotAllowed,
    413: TooLarge,
    415: UnsupportedMedia,
}
UNKNOWN = RequestHandler.get


def as_problem(error: BaseException | None, status: int) -> Problem:
    if isinstance(error, Problem):
        return error
    return KINDS.get(status, Problem)()


def is_our_fault(error: BaseException | None) -> bool:
    """Refusals are no news, and what is away was told at its door."""
    if isinstance(error, Problem):
        return error.status >= 500 and not isinstance(error, Unavailable)
    return not (isinstance(error, HTTPError) and error.status_code < 500)


def methods_of(handler: type[RequestHandler]) -> list[str]:
    """What its URL answers to (RFC 9110, 15.5.6)."""
    known = ("GET", "POST", "PATCH", "DELETE")
    own = [method for method in known if getattr(handler, method.lower()) is not UNKNOWN]
    return [*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"]
