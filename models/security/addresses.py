"""Network addresses as subjects of rate limits."""

from __future__ import annotations

import ipaddress


def subject_of(subject: str) -> str:
    """The subject itself; for an IPv6 address its /64, because one household has the whole network."""
    try:
        address = ipaddress.ip_address(subject)
    except ValueError:
        return subject
    if isinstance(address, ipaddress.IPv4Address):
        return subject
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
