"""The cookies of a browser, session and device: HttpOnly, SameSite=Lax, over TLS `__Host-`."""

from __future__ import annotations

import secrets
from typing import Any

from tornado.web import HTTPError, RequestHandler

from handlers.base.application import SiteHandler
from models.errors import CookiesOff, NotAllowed
from models.security.member import Member

STALE = (
    "This page does not fit your browser's cookie any more: it is old, or the cookie has changed. Reload the "
    "page, then send it again."
)


def check_they_come_back(handler: SiteHandler) -> None:
    """Each page sets the XSRF cookie; a form of ours that arrives without it can never succeed.

    Raises: CookiesOff.
    """
    if handler.get_cookie(handler.settings["xsrf_cookie_name"]) is None:
        raise CookiesOff


def check_token(handler: SiteHandler) -> None:
    """The XSRF token of a form. Raises: NotAllowed."""
    try:
        RequestHandler.check_xsrf_cookie(handler)
    except HTTPError as error:
        raise NotAllowed(STALE) from error


def sign_in(handler: SiteHandler, token: str) -> None:
    """Sets the cookie. The session has its own expiry; the cookie outlives it."""
    days = handler.application.config.member_days
    handler.set_cookie(handler.application.session_cookie, token, expires_days=days, **attributes(handler))
    if device_of(handler) is None:
        device = secrets.token_urlsafe(24)
        handler.set_cookie(
            handler.application.device_cookie, device, expires_days=days, **attributes(handler)
        )


def device_of(handler: SiteHandler) -> str | None:
    """The random name of the browser, which stays when its user signs out (`models.safety.marks`)."""
    return handler.get_cookie(handler.application.device_cookie)


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
