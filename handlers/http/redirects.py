"""Where a page may redirect: the steps of signing up, and paths of this site."""

from __future__ import annotations

import re

# The page of each step that `models.accounts.sign_up.next_step` names.
STEPS = {"profile": "/onboarding", "selfie": "/onboarding", "access": "/paywall", "done": "/room"}


def is_own_path(path: str) -> bool:
    """Whether it is a path like `/calls/…` that no browser could read as another site."""
    return path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path


def tidied(path: str) -> str:
    """As it was meant: phones begin with a capital, and people and programs end with a slash."""
    first, slash, rest = path.removeprefix("/").rstrip("/").partition("/")
    # Ids and codes further on keep their case.
    meant = f"/{first.lower()}{slash}{rest}"
    return meant if re.fullmatch(r"(?:/[\w.-]+)+", meant, re.ASCII) else path


def safe(path: str) -> str:
    """The path if it is one of this site's, otherwise the room."""
    return path if is_own_path(path) else "/room"
