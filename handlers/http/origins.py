"""Web origins that may send writes, open sockets, and read our JSON cross-origin.

Standard: Fetch (CORS, Origin).
"""

from __future__ import annotations

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from handlers.http.misconfigurations import Misconfigurations
from models.errors import NotAllowed
from models.settings.config import Config
from models.settings.web_origins import normal_origin

HIDDEN = (
    "Your browser hides which page this comes from. If a privacy extension does that, switch it off for this "
    "site, reload the page, and send it again. Otherwise tell the site's operator: one of its headers does."
)


def refuse_foreign(request: HTTPServerRequest, config: Config, misconfigurations: Misconfigurations) -> None:
    """Rejects any foreign Origin, whatever else is sent; a request without one is not from a browser page.

    Raises: NotAllowed.
    """
    sent = request.headers.get("Origin")
    if sent is None or is_accepted(sent, config):
        return
    if sent == "null" and request.headers.get("Sec-Fetch-Site") == "same-origin":
        misconfigurations.note("hidden_origin")
        raise NotAllowed(HIDDEN)
    origin = _normal(sent)
    if origin is not None:
        own = _normal(f"{origin.partition(':')[0]}://{request.host}")
        misconfigurations.note("base_url" if own == origin else "origin", origin=origin[:100])
    raise NotAllowed("This request came from another site.")


def is_accepted(origin: str, config: Config) -> bool:
    """Whether the normal form of an Origin header is that of BASE_URL or one of ALLOWED_ORIGINS."""
    return _normal(origin) in config.origins


def _normal(origin: str) -> str | None:
    try:
        return normal_origin(origin)
    except ValueError:
        return None


def allow_cross_origin(handler: RequestHandler, config: Config) -> None:
    """CORS for ALLOWED_ORIGINS only, without credentials; never `*`, and never an echo of an unlisted
    origin.
    """
    if not config.allowed_origins:
        return
    handler.add_header("Vary", "Origin")
    origin = handler.request.headers.get("Origin", "")
    if _normal(origin) in config.cross_origins:
        handler.set_header("Access-Control-Allow-Origin", origin)
        handler.set_header("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE")
        handler.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept")
        handler.set_header("Access-Control-Expose-Headers", "Retry-After")
        handler.set_header("Access-Control-Max-Age", "600")
