"""The session cookie of a browser: HttpOnly, SameSite=Lax, and over TLS bound to the host (`__Host-`).

Also the cookie that carries new recovery codes to the page that shows them once, kept by the browser alone
for minutes, and the one that marks a browser whose user was too young, for a day.
"""

from __future__ import annotations

from typing import Any

from handlers.base.application import SiteHandler
from models.accounts.age_gate import TOO_YOUNG
from models.errors import CookiesOff, NotAllowed
from models.security.member import Member

CODES = "recovery-codes"
TOO_YOUNG_COOKIE = "too-young"
CODES_PATH = "/settings/recovery-codes"
CODES_DAYS = 10 / (24 * 60)


def check_they_come_back(handler: SiteHandler) -> None:
    """Each page sets the XSRF cookie; a form of ours that arrives without it can never succeed.

    Raises: CookiesOff.
    """
    if handler.get_cookie(handler.settings["xsrf_cookie_name"]) is None:
        raise CookiesOff


def sign_in(handler: SiteHandler, token: str) -> None:
    """Sets the cookie. The session has its own expiry; the cookie outlives it."""
    days = handler.application.config.member_days
    handler.set_cookie(handler.application.session_cookie, token, expires_days=days, **_kind(handler))


def sign_out(handler: SiteHandler) -> None:
    handler.set_cookie(handler.application.session_cookie, "", expires_days=-1, **_kind(handler))


def renew(handler: SiteHandler, member: Member | None) -> None:
    """Renews the cookie once a day, with the session: only for the page of a browser that sent the cookie."""
    token = handler.get_cookie(handler.application.session_cookie)
    if token is not None and member is not None and member.was_renewed:
        sign_in(handler, token)


def hand_over_codes(handler: SiteHandler, codes: list[str]) -> None:
    """Passes new codes to the next page in a cookie: no server stores them in plain text."""
    kind = _kind(handler) | {"path": CODES_PATH}
    handler.set_cookie(CODES, ".".join(codes), expires_days=CODES_DAYS, **kind)


def take_codes(handler: SiteHandler) -> list[str]:
    """The codes of `hand_over_codes`, once."""
    codes = handler.get_cookie(CODES)
    if not codes:
        return []
    handler.set_cookie(CODES, "", expires_days=-1, **(_kind(handler) | {"path": CODES_PATH}))
    return codes.split(".")


def remember_too_young(handler: SiteHandler) -> None:
    """Marks the browser, which may come back from another address."""
    handler.set_cookie(TOO_YOUNG_COOKIE, "1", expires_days=1, **_kind(handler))


def refuse_too_young(handler: SiteHandler) -> None:
    """Raises: NotAllowed."""
    if handler.application.config.asks_birth_date and handler.get_cookie(TOO_YOUNG_COOKIE):
        raise NotAllowed(TOO_YOUNG)


def _kind(handler: SiteHandler) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": handler.application.config.is_secure}
