"""The form of Stripe's keys, webhook secrets and statement descriptors. Pure. Raises: ValueError."""

from __future__ import annotations

import re

from models.settings.urls import Unusable

KEY = re.compile(r"(sk|rk)_(live|test)_[0-9A-Za-z]{8,250}")
WEBHOOK_SECRET = re.compile(r"whsec_[0-9A-Za-z+/=_-]{7,250}")
# Stripe forbids < > \\ ' " * in statement descriptors; with the account's own prefix they have 22 characters.
SUFFIX = re.compile(r"[A-Za-z0-9 .-]{2,18}")


def api_key(value: str) -> str:
    """A secret or restricted key; publishable keys and webhook secrets are rejected."""
    if not KEY.fullmatch(value):
        raise ValueError
    return value


def webhook_secrets(values: tuple[str, ...]) -> tuple[str, ...]:
    if any(re.search(r"[\s;]", value) for value in values):
        raise Unusable("must have commas between several secrets, and no spaces in one")
    if not all(map(WEBHOOK_SECRET.fullmatch, values)):
        raise ValueError
    return values


def statement_suffix(value: str) -> str:
    if not SUFFIX.fullmatch(value) or not re.search("[A-Za-z]", value):
        raise ValueError
    return value
