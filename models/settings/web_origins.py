"""The normal form of a web origin: `scheme://host[:port]` (RFC 6454, WHATWG URL).

As a browser serialises it: lower case, punycode, compressed IPv6 addresses, no default port. One trailing dot
of a host is removed as well, since both names are the same host in the DNS. Two origins are equal if their
normal forms are. The only module that imports ada_url.
"""

from __future__ import annotations

import re
from functools import lru_cache

import ada_url

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Stricter than a browser's address bar, which drops tabs and reads backslashes as slashes.
ORIGIN = re.compile(
    r"https?://(\[[0-9a-f:.]+\]|[^\x00-\x20\x7f\s/\\?#@%:\[\]]+)(:[0-9]{1,5})?", re.IGNORECASE
)


# A host name has at most 253 characters; errors are not cached.
LONGEST = 300


@lru_cache(maxsize=1024)
def normal_origin(text: str) -> str:
    """Raises: ValueError, if it is not an http(s) origin: a path, a query, userinfo, `null`, a list."""
    if len(text) > LONGEST or not ORIGIN.fullmatch(text):
        raise ValueError("no origin")
    url = ada_url.URL(text)
    host = url.hostname.removesuffix(".")
    if url.port == "0" or not host or not all(host.split(".")):
        raise ValueError("no origin")
    return f"{url.protocol}//{host}" + (f":{url.port}" if url.port else "")


def normal_base(text: str) -> str:
    """The origin of a URL that ends after its host, or with one slash. Raises: ValueError."""
    return normal_origin(text.removesuffix("/"))


def host_of(origin: str) -> str:
    """The host of a normal form; an IPv6 address keeps its brackets."""
    host = origin.partition("://")[2]
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


@lru_cache(maxsize=64)
def accepted_origins(base_url: str, allowed: tuple[str, ...], port: int) -> frozenset[str]:
    """Origins that may send writes and open sockets; the default BASE_URL stands for all loopback
    addresses.
    """
    own = {normal_base(base_url)}
    if own == {normal_origin(f"http://localhost:{port}")}:
        own |= {normal_origin(f"http://{host}:{port}") for host in LOOPBACK_HOSTS}
    return frozenset(own | {normal_base(one) for one in allowed})
