"""STUN and TURN URLs (RFC 7064, RFC 7065), also those with an IPv6 address, which aiortc cannot read."""

from __future__ import annotations

import re
from typing import NamedTuple

from robots.client import SiteMessage

URL = re.compile(r"(stuns?|turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?")


class IceUrl(NamedTuple):
    host: str
    port: int
    is_tls: bool
    transport: str

    @classmethod
    def of(cls, url: str) -> IceUrl:
        """Raises: ValueError."""
        found = URL.fullmatch(url)
        if found is None:
            raise ValueError("not a STUN or TURN URL")
        is_tls = found[1].endswith("s")
        port = int(found[3] or (5349 if is_tls else 3478))
        return cls(found[2].strip("[]"), port, is_tls, found[4] or ("tcp" if is_tls else "udp"))


def named(servers: list[SiteMessage], scheme: str) -> list[tuple[str, SiteMessage]]:
    """Each `stun` or `turn` URL, also those with TLS, with its server."""
    found = []
    for server in servers:
        urls = [server["urls"]] if isinstance(server["urls"], str) else server["urls"]
        found += [(url, server) for url in urls if url.startswith(scheme)]
    return found


def readable(urls: list[str] | str) -> list[str]:
    """Without those that aiortc cannot read: with one of them no connection can be made."""
    return [url for url in ([urls] if isinstance(urls, str) else urls) if "[" not in url]
