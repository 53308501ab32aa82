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
from functools import lru_cache
from ipaddress import ip_network

from tornado.httputil import HTTPServerRequest

from handlers.http import metrics
from handlers.http.request import (
    address_of,
    client_address,
    comes_further,
    has_other_forwarding,
    ignored_forwarding,
)
from models.errors import AddressLimit, DiskFull, Problem
from models.monitoring.misconfiguration_causes import CAUSES
from models.settings.config import Config

logger = logging.getLogger(__name__)
LOG_SECONDS = 60.0
# `/readyz` shows a cause that occurred this often within this time.
PERSISTS_TIMES, PERSISTS_SECONDS = 3, 600.0
# For this long, a signed event proves the secret.
PROVEN_SECONDS = 3600.0
# A proxy sends its headers with every request; some requests of its machine may be the operator's own.
MOST_PEERS, MOST_COUNTED, LEAST_SHARE = 64, 1000, 0.9

# RFC 1918, 6598, 4193, 4291: where proxies of the operator's own are, but no documentation addresses.
INSIDE = tuple(
    ip_network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10")
)


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
            is_other = has_other_forwarding(request)
            if (peer in self._peers or _is_local(peer)) and self._count(peer, is_other) and is_other:
                self.note("proxy_address", peer=str(address_of(peer)))
            return
        cause = ignored_forwarding(request, config.trusted_proxies)
        if cause == "proxy_header" or (cause == "proxy" and _is_local(peer) and self._count(peer, True)):
            self.note(cause, peer=str(address_of(peer)))
        elif cause is None:
            self._watch_client(request, client_address(request, config.trusted_proxies))

    def _watch_client(self, request: HTTPServerRequest, client: str) -> None:
        """A client in a private network that passes requests on is a further proxy."""
        is_further = comes_further(request, client)
        if _is_inside(client) and self._count(client, is_further) and is_further:
            self.note("proxy", peer=client)

    def _count(self, peer: str, is_forwarded: bool) -> bool:
        """Counts a request of a peer. False, and no finding any longer, if the peer is no proxy."""
        counted = self._peers.setdefault(peer, [0, 0])
        counted[is_forwarded] += 1
        if sum(counted) > MOST_COUNTED:
            counted[:] = (number // 2 for number in counted)
        if len(self._peers) > MOST_PEERS:
            del self._peers[next(iter(self._peers))]
        is_proxy = counted[True] >= LEAST_SHARE * sum(counted)
        if not is_proxy and counted[True]:
            for name in ("proxy", "proxy_address"):
                self._last[name].clear()
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


def _is_inside(client: str) -> bool:
    address = address_of(client)
    return address is not None and any(address in network for network in INSIDE)


@lru_cache(maxsize=4096)
def _is_local(peer: str) -> bool:
    """Whether it is an address of this machine or of a private network."""
    address = address_of(peer)
    return address is not None and not address.is_global
