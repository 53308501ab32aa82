"""Rejections that only the operator can fix: counted, logged once a minute, shown if they persist.

For each cause it stores when it was last logged and when it last happened; the list of causes is fixed, so
clients cannot make it grow. What a client sent is logged only in a normal form (an origin, an address).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from tornado.httputil import HTTPServerRequest

from handlers.http import metrics
from handlers.http.request import address_of, ignored_forwarding
from models.settings.config import Config

logger = logging.getLogger(__name__)
LOG_SECONDS = 60.0
# `/readyz` shows a cause that occurred this often within this time.
PERSISTS_TIMES, PERSISTS_SECONDS = 3, 600.0


class Cause(NamedTuple):
    """The setting to change (or another cause), and the effect until then."""

    setting: str
    text: str


CAUSES = {
    "origin": Cause(
        "ALLOWED_ORIGINS",
        "A request from another web origin was refused. If people reach this site under that origin, set "
        "BASE_URL to it; if it is an app of yours, add it to ALLOWED_ORIGINS.",
    ),
    "base_url": Cause(
        "BASE_URL",
        "A request of this site's own page was refused because the page was opened under an address (scheme, "
        "host or port) other than BASE_URL. Set BASE_URL to the address that people open.",
    ),
    "proxy": Cause(
        "TRUSTED_PROXIES",
        "A peer that TRUSTED_PROXIES does not name sends X-Forwarded-For or Forwarded: it is ignored, and "
        "all who come through that peer share one address and its limits. If it is your proxy, add it.",
    ),
    "proxy_header": Cause(
        "TRUSTED_PROXIES",
        "A trusted proxy sends an X-Forwarded-For that ends with something other than an address: all who "
        "come through it share its address and its limits. Let the proxy append the client's address.",
    ),
    "upgrade": Cause(
        "proxy",
        "A WebSocket was requested without the headers of an upgrade. Let the proxy use HTTP/1.1 and pass "
        "Upgrade and Connection on for /ws/.",
    ),
    "webhook_secret": Cause(
        "STRIPE_WEBHOOK_SECRET",
        "An event of the payment provider was refused: it is not signed with STRIPE_WEBHOOK_SECRET. Set it "
        "to the signing secret of this endpoint.",
    ),
    "webhook_clock": Cause(
        "clock",
        "An event of the payment provider was refused: by this machine's clock it was signed more than "
        "five minutes ago. Set the clock (or the provider's event is an old one, sent again).",
    ),
    "redis_policy": Cause(
        "REDIS_URL",
        "Redis may evict keys (maxmemory-policy): presence, rings and signalling get lost under load. Set "
        "its maxmemory-policy to noeviction.",
    ),
}  # fmt: skip


class Misconfigurations:
    """The misconfigurations found by one process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._logged_at: dict[str, float] = {}
        self._unlogged: dict[str, int] = dict.fromkeys(CAUSES, 0)
        self._last: dict[str, deque[float]] = {name: deque(maxlen=PERSISTS_TIMES) for name in CAUSES}

    def watch(self, request: HTTPServerRequest, config: Config) -> None:
        """Checks the proxy's headers of any request."""
        cause = ignored_forwarding(request, config.trusted_proxies)
        if cause is None:
            return
        peer = address_of(request.remote_ip or "")
        # A private address is a proxy's; a public one may be a user's.
        self.note(cause, **({"peer": str(peer)} if peer is not None and peer.is_private else {}))

    def note(self, name: str, **facts: str) -> None:
        """Counts one rejection for the cause `name`. `facts` are logged: normal forms only."""
        metrics.MISCONFIGURATIONS.labels(name).inc()
        now = self._now()
        self._last[name].append(now)
        self._unlogged[name] += 1
        if now - self._logged_at.get(name, -LOG_SECONDS) < LOG_SECONDS:
            return
        self._logged_at[name] = now
        cause, times = CAUSES[name], self._unlogged[name]
        self._unlogged[name] = 0
        logger.warning(cause.text, extra={"cause": name, "setting": cause.setting, "times": times} | facts)

    def persisting(self) -> dict[str, str]:
        """cause -> text, for `/readyz`."""
        since = self._now() - PERSISTS_SECONDS
        return {
            name: CAUSES[name].text
            for name, times in self._last.items()
            if len(times) == PERSISTS_TIMES and times[0] >= since
        }
