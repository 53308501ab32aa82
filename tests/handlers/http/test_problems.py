"""Exceptions as Problems: their class, where they lead, and whether they are logged."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import HTTPError, RequestHandler

from handlers.http.problems import as_problem, is_our_fault, methods_of, way_on
from models.errors import (
    Banned,
    Invalid,
    NotFound,
    NotSignedIn,
    PaymentRequired,
    Problem,
    SelfieRequired,
    Unavailable,
)


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "bad_request"), (403, "not_allowed"), (404, "not_found"), (405, "method"), (413, "too_large"),
     (415, "unsupported_media"), (500, "internal"), (418, "internal")],
)  # fmt: skip
def test_every_status_of_the_server_has_a_code(status: int, code: str) -> None:
    assert as_problem(HTTPError(status), status).code == code
    assert as_problem(None, status).code == code


def test_a_problem_is_unchanged() -> None:
    problem = Invalid(name="Too long.")
    assert as_problem(problem, 500) is problem


@pytest.mark.parametrize(
    ("error", "ours"),
    [(NotFound(), False), (Banned(), False), (Unavailable(), False), (HTTPError(404), False),
     (HTTPError(500), True), (Problem(), True), (ValueError(), True), (None, True)],
)  # fmt: skip
def test_which_errors_are_logged(error: BaseException | None, ours: bool) -> None:
    assert is_our_fault(error) is ours


def asked(method: str = "GET", **headers: str) -> HTTPServerRequest:
    lines = HTTPHeaders({"Host": "x"} | {name.replace("_", "-"): value for name, value in headers.items()})
    start = RequestStartLine(method, "/history", "HTTP/1.1")
    return HTTPServerRequest(start_line=start, headers=lines, connection=SimpleNamespace())  # type: ignore[arg-type]


def test_a_user_who_lacks_a_step_is_redirected_to_it() -> None:
    steps = {
        PaymentRequired: "/paywall",
        SelfieRequired: "/onboarding",
        NotSignedIn: "/onboarding",
        NotFound: None,
    }
    for kind, place in steps.items():
        assert way_on(kind(), asked(), was_here=False) == place
        assert way_on(kind(), asked("POST"), was_here=False) is None


def test_a_user_whose_session_has_ended_signs_in_again() -> None:
    assert way_on(NotSignedIn(), asked(), was_here=True) == "/login?next=%2Fhistory"
    assert way_on(NotSignedIn(), asked(HX_Request="true"), was_here=True) == "/login"


def test_the_methods_of_a_url() -> None:
    class Both(RequestHandler):
        def get(self) -> None: ...
        def delete(self) -> None: ...

    class Writes(RequestHandler):
        def post(self) -> None: ...

    assert methods_of(Both) == ["GET", "DELETE", "HEAD", "OPTIONS"]
    assert methods_of(Writes) == ["POST", "OPTIONS"]
