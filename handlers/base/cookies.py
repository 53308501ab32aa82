"""The session cookie of a browser: HttpOnly, SameSite=Lax, and over TLS bound to the host (`__Host-`)."""

from __future__ import annotations

from typing import Any

from handlers.base.application import SiteHandler
from models.errors import CookiesOff
from models.security.member import Member


def check_they_come_back(handler: SiteHandler) -> None:
    """Each page sets the XSRF cookie; a form of ours that arrives without it can never succeed.

    Raises: CookiesOff.
    """
    if handler.get_cookie(handler.settings["xsrf_cookie_name"]) is None:
        raise CookiesOff


def sign_in(handler: SiteHandler, token: str) -> None:
    """Sets the cookie. The session has its own expiry; the cookie outlives it."""
    days = handler.application.config.member_days
    handler.set_cookie(handler.application.session_cookie, token, expires_days=days, **attributes(handler))


def sign_out(handler: SiteHandler) -> None:
    handler.set_cookie(handler.application.session_cookie, "", expires_days=-1, **attributes(handler))


def renew(handler: SiteHandler, member: Member | None) -> None:
    """Renews the cookie once a day, with the session: only for the page of a browser that sent the cookie."""
    token = handler.get_cookie(handler.application.session_cookie)
    if token is not None and member is not None and member.was_renewed:
        sign_in(handler, token)


def attributes(handler: SiteHandler) -> dict[str, Any]:
    """Path, HttpOnly, SameSite and Secure of the site's cookies."""
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": handler.application.config.is_secure}
