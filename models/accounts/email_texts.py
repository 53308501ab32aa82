"""What the letters to account holders say: (subject, text)."""

from __future__ import annotations

from typing import NamedTuple


class Letter(NamedTuple):
    subject: str
    text: str


def recovery_link(url: str, minutes: int) -> Letter:
    return Letter(
        "Choose a new password",
        f"Somebody, probably you, asked for a new password on Napalm Sky.\n\n{url}\n\n"
        f"The link works once, for {minutes} minutes. If it was not you, do nothing: your password stays.\n",
    )


def password_changed(base_url: str) -> Letter:
    return Letter(
        "Your password was changed",
        "The password of your Napalm Sky account was changed just now, and other devices were signed out.\n\n"
        f"If it was not you, take the account back: {base_url}/recover\n",
    )


def email_changed(base_url: str) -> Letter:
    return Letter(
        "Your e-mail address was changed",
        "Your Napalm Sky account has another e-mail address now; this one no longer signs you in.\n\n"
        f"If it was not you, use one of your recovery codes: {base_url}/recover\n",
    )
