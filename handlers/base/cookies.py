"""The session cookie of a browser: HttpOnly, SameSite=Lax, and behind TLS bound to the host (`__Host-`).

And new recovery codes on their way to the page that shows them once: kept by the browser alone, for minutes;
and, where birth dates are asked for, that somebody here was too young, for a day.
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

    Raises CookiesOff.
    """
    if handler.get_cookie(handler.settings["xsrf_cookie_name"]) is None:
        raise CookiesOff


def sign_in(handler: SiteHandler, token: str) -> None:
    """How long it counts, the session says; the cookie outlives any."""
    days = handler.application.config.member_days
    handler.set_cookie(handler.application.session_cookie, token, expires_days=days, **_kind(handler))


def sign_out(handler: SiteHandler) -> None:
    handler.set_cookie(handler.application.session_cookie, "", expires_days=-1, **_kind(handler))


def renew(handler: SiteHandler, member: Member | None) -> None:
    """Once a day, with the session: only for the page of a browser that came with the cookie."""
    token = handler.get_cookie(handler.application.session_cookie)
    if token is not None and member is not None and member.was_renewed:
        sign_in(handler, token)


def hand_over_codes(handler: SiteHandler, codes: list[str]) -> None:
    """To the next page, which takes them: no server keeps them in the plain."""
    kind = _kind(handler) | {"path": CODES_PATH}
    handler.set_cookie(CODES, ".".join(codes), expires_days=CODES_DAYS, **kind)


def take_codes(handler: SiteHandler) -> list[str]:
    """Those that were handed over, once."""
    codes = handler.get_cookie(CODES)
    if not codes:
        return []
    handler.set_cookie(CODES, "", expires_days=-1, **(_kind(handler) | {"path": CODES_PATH}))
    return codes.split(".")


def remember_too_young(handler: SiteHandler) -> None:
    """The browser does so as well, for it may come from another address."""
    handler.set_cookie(TOO_YOUNG_COOKIE, "1", expires_days=1, **_kind(handler))


def refuse_too_young(handler: SiteHandler) -> None:
    """Raises NotAllowed."""
    if handler.application.config.asks_birth_date and handler.get_cookie(TOO_YOUNG_COOKIE):
        raise NotAllowed(TOO_YOUNG)


def _kind(handler: SiteHandler) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": handler.application.config.is_secure}
