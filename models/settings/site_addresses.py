"""Origins that people and programs can open: BASE_URL, ALLOWED_ORIGINS, bases of APIs.

`web_origins` compares whatever a browser may send; this module is about what a browser can reach. Chromium
resolves a name only if its labels have 1 to 63 letters, digits, hyphens or underscores and the name has at
most 253 characters, and it opens no port on the list of "bad ports" (Fetch standard, 2.9).
tests/webrtc/test_site_addresses.py compares this module with a real Chromium.
"""

from __future__ import annotations

import ipaddress
import re

from models.settings.urls import NAME, Unusable, split
from models.settings.web_origins import LOOPBACK_HOSTS, host_of, normal_base

BLOCKED_PORTS = frozenset({
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
    526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
    3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
})  # fmt: skip
BLOCKED = "a port that browsers block (such as 25, 6000, 6667 or 10080)"
PLACEHOLDER = re.compile(r"[${}<>]|%\w+%")
# In this order: the first pattern found in the value names the cause.
CAUSES = (
    (PLACEHOLDER, "must have its placeholder replaced by the real name"),
    (re.compile(r"[\s,;]"), "must have no spaces, and only commas between several addresses"),
    (re.compile(r"\*"), "must name one host: a wildcard (*) is not possible"),
    (re.compile(r"\A(?!https?://)", re.IGNORECASE), "must begin with https:// or http://"),
    (re.compile(r"//[^/?#]*@"), "must not have a user or a password"),
    (re.compile(r"//[^/]*[/?#].|[?#\\]"), "must end after the host and port, without a path"),
)  # fmt: skip
PORT = re.compile(r"//(?:\[[^\]]*\]|[^:\[\]]*):(.*?)/?")


def site_origin(text: str) -> str:
    """The normal form of an origin that a browser can open. Raises: Unusable."""
    origin = reachable_origin(text)
    if port_of(origin) in BLOCKED_PORTS:
        raise Unusable(f"must not have {BLOCKED}")
    return origin


def reachable_origin(text: str) -> str:
    """The normal form of an origin whose host can exist. Raises: Unusable."""
    for pattern, cause in CAUSES:
        if pattern.search(text):
            raise Unusable(cause)
    _check_port(text)
    try:
        origin = normal_base(text)
    except ValueError:
        raise Unusable("must have a host that browsers accept, like https://example.com") from None
    _check_host(host_of(origin))
    return origin


def port_of(origin: str) -> int:
    """The port of a normal form."""
    scheme, _, rest = origin.partition("://")
    port = rest.removeprefix(host_of(origin)).removeprefix(":")
    return int(port) if port else {"http": 80, "https": 443}[scheme]


def is_secure_context(origin: str) -> bool:
    """Whether browsers give cameras to pages of this origin (W3C Secure Contexts, 3.1)."""
    host = host_of(origin)
    if origin.startswith("https://") or host in ("localhost", "[::1]") or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address in ipaddress.ip_network("127.0.0.0/8")


def _check_port(text: str) -> None:
    found = PORT.fullmatch(text, text.index("//"))
    if found is None:
        return
    port = found[1]
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise Unusable("must have a port from 1 to 65535 after the colon, or neither")


def _check_host(host: str) -> None:
    address = _address(host)
    if address is None:
        if not NAME.fullmatch(host):
            raise Unusable(
                "must have a host name that can exist: letters, digits, hyphens and dots, at most 63 "
                "characters between two dots and 253 in all"
            )
        return
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_unspecified or mapped.is_multicast or mapped in ipaddress.ip_network("0.0.0.0/8"):
        raise Unusable("must have an address that people can open (0.0.0.0 and [::] are only for HOST)")
    if mapped == ipaddress.ip_address("255.255.255.255"):
        raise Unusable("must have the address of one machine")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def service_url(url: str) -> None:
    """Raises: Unusable, unless it is https, or http on loopback."""
    parts = split(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    if parts.scheme != "https" and host not in LOOPBACK_HOSTS:
        raise Unusable("must be https:// (plain http only on loopback)")
    if parts.username is not None:
        raise Unusable("must have no user and password: requests are signed")
