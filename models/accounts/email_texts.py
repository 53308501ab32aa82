"""Texts of the e-mails to account holders: (subject, text)."""

from __future__ import annotations

from typing import NamedTuple


class EmailText(NamedTuple):
    subject: str
    text: str


def recovery_link(url: str, minutes: int) -> EmailText:
    return EmailText(
        "Choose a new password",
        f"Someone, probably you, asked for a new password on Napalm Sky.\n\n{url}\n\n"
        f"The link works once, for {minutes} minutes. If it was not you, do nothing: your password stays.\n",
    )


def password_changed(base_url: str, *, has_codes: bool = True) -> EmailText:
    codes = f"You have no recovery codes now. Make new ones: {base_url}/settings/recovery-codes\n\n"
    return EmailText(
        "Your password was changed",
        "The password of your Napalm Sky account was changed just now, and other devices were signed out.\n\n"
        f"{'' if has_codes else codes}If it was not you, take the account back: {base_url}/recover\n",
    )


def email_changed(base_url: str) -> EmailText:
    return EmailText(
        "Your e-mail address was changed",
        "Your Napalm Sky account has a new e-mail address now; you can no longer sign in with this one.\n\n"
        f"If it was not you, use one of your recovery codes: {base_url}/recover\n",
    )


def confirmation(url: str) -> EmailText:
    return EmailText(
        "Confirm your e-mail address",
        f"With this link you confirm your address for Napalm Sky:\n\n{url}\n\n"
        "Only a confirmed address can get a new password. If you have no account there, do nothing.\n",
    )
