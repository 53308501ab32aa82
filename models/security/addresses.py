"""Network addresses as subjects of limits: who counts as one."""

from __future__ import annotations

import ipaddress


def subject_of(subject: str) -> str:
    """An IPv4 address or another id as it is, an IPv6 address as its /64: one household has all of that."""
    try:
        address = ipaddress.ip_address(subject)
    except ValueError:
        return subject
    if isinstance(address, ipaddress.IPv4Address):
        return subject
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
