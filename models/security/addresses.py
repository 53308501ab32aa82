"""Network addresses as subjects of rate limits and of votes."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import NamedTuple

# How many households of an IPv6 /48 are counted at once. Providers give a customer a /64 or more, some a /48.
NETWORKS = 16


class CountedSubject(NamedTuple):
    """A subject that may have `times` the limit of one address."""

    text: str
    times: int


def counted_of(subject: str) -> list[CountedSubject]:
    """The subject itself, an IPv4 address, or the /64 and the /48 of an IPv6 address.

    The narrower one comes first: what it refuses does not count against the wider one.
    """
    return [CountedSubject(*one) for one in zip(voting_of(subject), (1, NETWORKS), strict=False)]


def voting_of(address: str) -> list[str]:
    """What makes voters one: the address, or the /64 and the /48 of an IPv6 address."""
    narrow = subject_of(address)
    return [narrow, network_of(address)] if narrow.endswith("/64") else [narrow]


def subject_of(subject: str) -> str:
    """The subject itself; for an IPv6 address its /64, because one household has the whole network."""
    return _prefix_of(subject, 32, 64)


def network_of(subject: str) -> str:
    """The /24 or the /48: what one customer of a provider may have. Other texts are their own network."""
    return _prefix_of(subject, 24, 48)


@lru_cache(maxsize=4096)
def _prefix_of(subject: str, of_v4: int, of_v6: int) -> str:
    try:
        address = ipaddress.ip_address(subject)
    except ValueError:
        return subject
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if isinstance(address, ipaddress.IPv4Address):
        network = ipaddress.IPv4Network((int(address), of_v4), strict=False)
        return str(network.network_address if of_v4 == 32 else network)
    return str(ipaddress.IPv6Network((int(address), of_v6), strict=False))
