"""Whether an error of the operating system means that a disk is full."""

from __future__ import annotations

import errno

from models.errors import DiskFull, Unavailable

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
RETRY_SECONDS = 10


def is_full(error: BaseException | None) -> bool:
    """True also if it is the cause of the error, or was being handled when the error was raised."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if getattr(error, "errno", None) in FULL:
            return True
        seen.append(error)
        error = error.__cause__ or error.__context__
    return False


def problem_of(error: OSError) -> Unavailable:
    """The Problem for a file of ours that cannot be written."""
    return DiskFull("files") if is_full(error) else Unavailable(retry_after=RETRY_SECONDS)
