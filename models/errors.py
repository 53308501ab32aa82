"""Every error that a user can get, with a stable code.

A Problem is raised below the handlers and rendered in one place, `handlers.base.handler` or
`handlers.base.socket`, as a page, a fragment, JSON or a socket frame. Codes and statuses are those of
docs/protocol.md; `fields` names the invalid fields.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Literal


class Problem(Exception):
    """An error that is shown to the user who caused it; `code` and `status` are fixed by the class."""

    code = "internal"
    status = 500
    default = "Something went wrong on our side. Please try again."

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = message or self.default
        self.fields = dict(fields) if fields else None
        self.retry_after = retry_after
        super().__init__(f"{self.code}: {self.message}")

    def as_json(self) -> dict[str, object]:
        """`{"code", "message", "fields"?, "retryAfter"?}`: the body of the JSON error."""
        body: dict[str, object] = {"code": self.code, "message": self.message}
        if self.fields:
            body["fields"] = self.fields
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        return body


class BadRequest(Problem):
    code, status, default = "bad_request", 400, "That request could not be read."


class BadSignature(BadRequest):
    """The event is not signed with any of our webhook secrets."""


class UntimelySignature(BadSignature):
    """The event is signed with one of our webhook secrets, but too long ago or in the future."""


class NotSignedIn(Problem):
    code, status, default = "not_signed_in", 401, "Please sign in first."


class PaymentRequired(Problem):
    code, status, default = (
        "payment_required",
        402,
        "This needs access: pay once, or use a friend's invite code.",
    )


class NotAllowed(Problem):
    code, status, default = "not_allowed", 403, "That is not allowed."


class CookiesOff(NotAllowed):
    default = (
        "Your browser did not send back the cookie of this page. Cookies are off for this site, or were "
        "cleared since the page was opened. Allow cookies in the browser's settings, reload the page, then "
        "send it again."
    )


class TermsChanged(NotAllowed):
    """`fields` has the page on which the new terms are accepted."""

    default = "The terms have changed. Read and accept them, then go on."

    def __init__(self) -> None:
        super().__init__(fields={"acceptUrl": "/terms/accept"})


class AgeUnproven(NotAllowed):
    """`fields` has the page that leads to the age check."""

    default = "This site has your age checked by a provider first."

    def __init__(self) -> None:
        super().__init__(fields={"ageUrl": "/age"})


class SelfieRequired(Problem):
    code, status, default = "selfie_required", 403, "Take a selfie first, so that people see who is calling."


class Banned(Problem):
    """`notice` is what the banned user may know, for a page (`models.safety.ban_notices`)."""

    code, status, default = "banned", 403, "This account is banned."

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        notice: object = None,
    ) -> None:
        self.notice = notice
        super().__init__(message, fields=fields)


class NotFound(Problem):
    code, status, default = "not_found", 404, "There is nothing here."


class MethodNotAllowed(Problem):
    code, status, default = "method", 405, "That method is not available here."


class Conflict(Problem):
    code, status, default = "conflict", 409, "That is no longer possible."


class TooLarge(Problem):
    code, status, default = "too_large", 413, "That is too large."


class UnsupportedMedia(Problem):
    code, status, default = "unsupported_media", 415, "That kind of file cannot be used here."


class Invalid(Problem):
    """A field is invalid: `Invalid(name="Write 1 to 40 characters.")`."""

    code, status, default = "invalid", 422, "Please check the marked fields."

    def __init__(self, message: str | None = None, **fields: str) -> None:
        if message is None and len(fields) == 1:
            message = next(iter(fields.values()))
        super().__init__(message, fields=fields)


class TooMany(Problem):
    code, status, default = "too_many", 429, "Too many attempts. Please wait a little."


class AddressLimit(TooMany):
    """An address has used up a limit that the people of one network share; `cause` is the operator's name
    for it.
    """

    def __init__(
        self,
        cause: Literal["sign_ups", "sockets"],
        message: str | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        self.cause = cause
        super().__init__(message, retry_after=retry_after)


class Unavailable(Problem):
    code, status, default = "unavailable", 503, "We are catching our breath. Please try again in a moment."

    def __init__(self, message: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(message, retry_after=retry_after)


class DiskFull(Unavailable):
    """A disk is full: `database` (PostgreSQL's), or `files` (that of DATA_DIR or TMPDIR)."""

    default = (
        "This site has no room left to save anything. Its operator has to free some. Please try again in a "
        "few minutes."
    )

    def __init__(self, disk: Literal["database", "files"]) -> None:
        self.disk = disk
        super().__init__(retry_after=60)


class NoTables(Unavailable):
    """The database answers but is empty: `server.py migrate` has not run yet, or a backup is being
    restored.
    """


class Contended(Unavailable):
    """Another transaction held a lock that this one needs. Nothing was written; the caller may try again."""


FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_disk_full(error: BaseException | None) -> bool:
    """True also if a full disk is the cause of the error, or was being handled when it was raised."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if getattr(error, "errno", None) in FULL:
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def file_problem(error: OSError) -> Unavailable:
    """The Problem for a file of ours that cannot be written."""
    return DiskFull("files") if is_disk_full(error) else Unavailable(retry_after=10)
