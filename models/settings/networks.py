"""Addresses of machines: TRUSTED_PROXIES, and HOST (where this process listens)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from models.settings.urls import Unusable

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
# A network with a shorter prefix contains more than any organisation's own machines, unless it is private.
LEAST_PREFIX = {4: 8, 6: 16}
PRIVATE = (ipaddress.IPv6Network("fc00::/7"), ipaddress.IPv6Network("fe80::/10"))
BRACKETED = re.compile(r"\[([^\]]*)\]")
# In this order: the first pattern found in the value names the cause.
CAUSES = (
    (re.compile(r"[\s;|]"), "must have commas between several addresses"),
    (re.compile(r"://"), "must be addresses or networks alone, without http://"),
    (re.compile(r"\*"), "must be networks with a length like 10.0.0.0/8: a wildcard (*) is not possible"),
    (re.compile(r"\]:\d*|\A[\d.]+:\d*\Z"), "must be addresses without a port"),
    (re.compile(r"\A[\d.]+-[\d.]+\Z"), "must be networks with a length like 10.0.0.0/8, not a range"),
    (re.compile(r"(?:\A|\.)0\d"), "must be addresses without leading zeros"),
)  # fmt: skip


def network(text: str) -> IpNetwork:
    """An address or a network, without a zone; IPv4-mapped addresses become IPv4. Raises: Unusable."""
    for pattern, cause in CAUSES:
        if pattern.search(text):
            raise Unusable(cause)
    address, slash, length = BRACKETED.sub(r"\1", text).partition("/")
    found = _unmapped(_read(address.partition("%")[0] + slash + length))
    if found.prefixlen == found.max_prefixlen and _belongs_to_no_peer(found):
        raise Unusable("must be addresses of proxies: 0.0.0.0, [::] and multicast addresses are no sender's")
    return found


def is_wide(found: IpNetwork) -> bool:
    """Whether it contains so many addresses that strangers are among them."""
    is_private = isinstance(found, ipaddress.IPv6Network) and any(map(found.subnet_of, PRIVATE))
    return found.prefixlen < LEAST_PREFIX[found.version] and not is_private


def _read(text: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    raise Unusable(_why_unreadable(text))


def _why_unreadable(text: str) -> str:
    if _can(lambda: ipaddress.ip_network(text, strict=False)):
        return "must be networks that begin at their first address, like 10.0.0.0/8 for 10.0.0.1/8"
    if _can(lambda: ipaddress.ip_address(text.partition("/")[0])):
        return "must be networks with a length of at most 32 after the slash (IPv6: 128)"
    return "must be addresses or networks like 10.0.0.10 or 10.0.0.0/8: names are not looked up"


def _can(read: Callable[[], object]) -> bool:
    try:
        read()
    except ValueError:
        return False
    return True


def _unmapped(found: IpNetwork) -> IpNetwork:
    if isinstance(found, ipaddress.IPv6Network) and found.prefixlen >= 96:
        mapped = found.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.ip_network((int(mapped), found.prefixlen - 96))
    return found


def _belongs_to_no_peer(found: IpNetwork) -> bool:
    address = found.network_address
    return address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255"


def listening_host(text: str) -> str:
    """HOST, an address or a name as `getaddrinfo` takes it. Raises: Unusable."""
    if "://" in text or "/" in text:
        raise Unusable("must be an address alone, without http:// and without a path")
    if text == "*":
        raise Unusable("must be 0.0.0.0 to listen on all addresses (or :: with IPv6)")
    if "," in text or any(character.isspace() for character in text):
        raise Unusable("must be one address: 0.0.0.0 stands for all")
    if text.startswith("[") or (text.count(":") == 1 and text.rpartition(":")[2].isdigit()):
        raise Unusable("must be an address without brackets and without a port (the port is PORT)")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise Unusable("must be an IPv4 address in its own form, without ::ffff:")
    if address.is_multicast or str(address) == "255.255.255.255":
        raise Unusable("must be an address of this machine, not a multicast or broadcast address")
    return text


def plain_address(text: str) -> str:
    """An IP address of a machine, without a port or zone. Raises: ValueError."""
    address = ipaddress.ip_address(text.strip("[]"))
    if _belongs_to_no_peer(ipaddress.ip_network(address)) or address.is_link_local:
        raise Unusable("must be the address that other machines reach this one at")
    return str(address)
