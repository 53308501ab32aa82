"""Rejections that only the operator can fix: counted, logged once a minute, shown if they persist.

For each cause it stores when it was last logged and when it last happened; the list of causes is fixed, so
clients cannot make it grow. What a client sent is logged only in a normal form (an origin, an address).

Anyone can send a forged header or event, so a cause is noted only if the request looks like one of the
operator's own proxy or provider (docs/operations.md), and evidence of the contrary withdraws it.
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
from models.errors import AddressLimit, DiskFull, Problem
from models.settings.config import Config

logger = logging.getLogger(__name__)
LOG_SECONDS = 60.0
# `/readyz` shows a cause that occurred this often within this time.
PERSISTS_TIMES, PERSISTS_SECONDS = 3, 600.0
# For this long, a signed event proves the secret.
PROVEN_SECONDS = 3600.0
# A proxy sends its headers with every request; some requests of its machine may be the operator's own.
MOST_PEERS, MOST_COUNTED, LEAST_SHARE = 64, 1000, 0.9


class MisconfigurationCause(NamedTuple):
    """The setting to change (or another cause), and the effect until then."""

    setting: str
    text: str


CAUSES = {
    "origin": MisconfigurationCause(
        "ALLOWED_ORIGINS",
        "A request from another web origin was refused. If people reach this site under that origin, set "
        "BASE_URL to it; if it is an app of yours, add it to ALLOWED_ORIGINS.",
    ),
    "base_url": MisconfigurationCause(
        "BASE_URL",
        "A request of this site's own page was refused because the page was opened under an address (scheme, "
        "host or port) other than BASE_URL. Set BASE_URL to the address that people open.",
    ),
    "proxy": MisconfigurationCause(
        "TRUSTED_PROXIES",
        "A peer in a private network that TRUSTED_PROXIES does not name sends X-Forwarded-For or Forwarded "
        "with its requests: it is ignored, and all who come through that peer share one address and its "
        "limits. If it is your proxy, add it.",
    ),
    "proxy_header": MisconfigurationCause(
        "TRUSTED_PROXIES",
        "A trusted proxy sends an X-Forwarded-For that ends with something other than an address: all who "
        "come through it share its address and its limits. Let the proxy append the client's address.",
    ),
    "upgrade": MisconfigurationCause(
        "proxy",
        "A WebSocket was requested without the headers of an upgrade. Let the proxy use HTTP/1.1 and pass "
        "Upgrade and Connection on for /ws/.",
    ),
    "webhook_secret": MisconfigurationCause(
        "STRIPE_WEBHOOK_SECRET",
        "An event of the payment provider was refused: it is not signed with STRIPE_WEBHOOK_SECRET. Set it "
        "to the signing secret of this endpoint. If Stripe's dashboard shows no failed deliveries, the event "
        "was forged by someone else.",
    ),
    "webhook_clock": MisconfigurationCause(
        "clock",
        "An event of the payment provider was refused: by this machine's clock it was signed more than "
        "five minutes ago. Set the clock (or the provider's event is an old one, sent again).",
    ),
    "disk": MisconfigurationCause(
        "DATA_DIR",
        "A disk is full, and nothing can be saved on it. `disk` in the log names it. `database`: that of "
        "PostgreSQL (DATA_DIR with the built-in server, otherwise on the machine of DATABASE_URL). `files`: "
        "that of DATA_DIR or TMPDIR. Free some space there.",
    ),
    "sign_ups": MisconfigurationCause(
        "GUESTS_PER_HOUR",
        "A sign-up was refused: its network address has made GUESTS_PER_HOUR within an hour. If many of your "
        "users share one network (a school, an event), raise it; if all have the address of your proxy, set "
        "TRUSTED_PROXIES. It may also be a script.",
    ),
    "sockets": MisconfigurationCause(
        "SOCKETS_PER_ADDRESS",
        "A socket was refused: its network address has SOCKETS_PER_ADDRESS open. If many of your users share "
        "one network, raise it; if all have the address of your proxy, set TRUSTED_PROXIES.",
    ),
    "redis_policy": MisconfigurationCause(
        "REDIS_URL",
        "Redis may evict keys (maxmemory-policy): presence, rings and signalling get lost under load. Set "
        "its maxmemory-policy to noeviction.",
    ),
    "redis_memory": MisconfigurationCause(
        "REDIS_URL",
        "Redis uses more than nine tenths of its maxmemory: when it is full, it refuses commands, and the "
        "site answers 503. Raise its maxmemory.",
    ),
    "redis_shared": MisconfigurationCause(
        "REDIS_URL",
        "Another process uses this database with another Redis: their users do not see each other. Set "
        "REDIS_URL of all processes to the same Redis.",
    ),
    "redis_foreign": MisconfigurationCause(
        "REDIS_URL",
        "Another site, with another database, uses this Redis: its users and ours are counted and listed "
        "together. Give each site a Redis of its own (another database number is not enough).",
    ),
    "turn_silent": MisconfigurationCause(
        "TURN_URLS",
        "A TURN server does not answer: users without a direct route cannot call. Start coturn, and open its "
        "ports; with TURN=embedded see the log.",
    ),
    "turn_refused": MisconfigurationCause(
        "TURN_SECRET",
        "A TURN server refuses our credentials: users without a direct route cannot call. Set TURN_SECRET to "
        "coturn's static-auth-secret, and the clocks of both machines.",
    ),
    "certificate": MisconfigurationCause(
        "TLS",
        "Our own Caddy has no certificate for BASE_URL: browsers cannot open the site. The log has Caddy's "
        "reason; the name must lead to this machine, and ports 80 and 443 must reach it.",
    ),
    "disk_space": MisconfigurationCause(
        "DATA_DIR",
        "Less than 200 MB are free in DATA_DIR: uploads, and soon the database, will fail. Free some space.",
    ),
    "backup": MisconfigurationCause(
        "BACKUP_DIR",
        "The newest backup in BACKUP_DIR is older than twice BACKUP_HOURS, or the only one could not be "
        "restored. The log has the reason; `python server.py backup` tries again at once.",
    ),
}  # fmt: skip


class Misconfigurations:
    """The misconfigurations found by one process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._logged_at: dict[str, float] = {}
        self._unlogged: dict[str, int] = dict.fromkeys(CAUSES, 0)
        self._last: dict[str, deque[float]] = {name: deque(maxlen=PERSISTS_TIMES) for name in CAUSES}
        self._disproved_at: dict[str, float] = {}
        # Local peers: requests without and with the headers of a proxy. At most MOST_PEERS.
        self._peers: dict[str, list[int]] = {}

    def watch(self, request: HTTPServerRequest, config: Config) -> None:
        """Checks the proxy's headers of any request.

        A peer that TRUSTED_PROXIES does not name is noted only if its address is not public and nine of ten
        of its requests have them.
        """
        peer = request.remote_ip or ""
        if "X-Forwarded-For" not in request.headers and "Forwarded" not in request.headers:
            if peer in self._peers or _is_local(peer):
                self._count(peer, is_forwarded=False)
            return
        cause = ignored_forwarding(request, config.trusted_proxies)
        if cause == "proxy_header" or (
            cause == "proxy" and _is_local(peer) and self._count(peer, is_forwarded=True)
        ):
            self.note(cause, peer=str(address_of(peer)))

    def _count(self, peer: str, *, is_forwarded: bool) -> bool:
        """Counts a request of a peer. False, and no finding any longer, if the peer is no proxy."""
        counted = self._peers.setdefault(peer, [0, 0])
        counted[is_forwarded] += 1
        if sum(counted) > MOST_COUNTED:
            counted[:] = (number // 2 for number in counted)
        if len(self._peers) > MOST_PEERS:
            del self._peers[next(iter(self._peers))]
        is_proxy = counted[True] >= LEAST_SHARE * sum(counted)
        if not is_proxy and counted[True]:
            self._last["proxy"].clear()
        return is_proxy

    def _is_recent(self, at: float | None) -> bool:
        return at is not None and self._now() - at < PROVEN_SECONDS

    def disprove(self, name: str) -> None:
        """Withdraws the cause `name`, for an hour: the opposite has been proven."""
        self._disproved_at[name] = self._now()
        self._last[name].clear()

    def note(self, name: str, **facts: str) -> None:
        """Counts one rejection for the cause `name`. `facts` are logged: normal forms only."""
        if self._is_recent(self._disproved_at.get(name)):
            return
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

    def note_problem(self, problem: Problem) -> None:
        """Notes a full disk of ours (the database's is reported where it is found), and an address that has
        used up what all who share it may use.
        """
        if isinstance(problem, DiskFull) and problem.disk == "files":
            self.note("disk", disk="files")
        if isinstance(problem, AddressLimit):
            self.note(problem.cause)

    def persisting(self) -> dict[str, str]:
        """cause -> text, for `/readyz`."""
        since = self._now() - PERSISTS_SECONDS
        return {
            name: CAUSES[name].text
            for name, times in self._last.items()
            if len(times) == PERSISTS_TIMES and times[0] >= since
        }


def _is_local(peer: str) -> bool:
    """Whether it is an address of this machine or of a private network."""
    address = address_of(peer)
    return address is not None and not address.is_global
