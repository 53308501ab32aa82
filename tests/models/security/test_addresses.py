"""Subjects of limits: an IPv4 address, or the IPv6 network of a household."""

from __future__ import annotations

import pytest

from models.security.addresses import counted_of, network_of, subject_of, voting_of

HOME = "203.0.113.7"


@pytest.mark.parametrize(
    ("subject", "counted"),
    [
        (HOME, HOME),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", HOME),
        ("6f1c0c9e-0000-4000-8000-000000000000", "6f1c0c9e-0000-4000-8000-000000000000"),
    ],
)
def test_the_subject_of_an_address(subject: str, counted: str) -> None:
    assert subject_of(subject) == counted


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"), ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"), ("unknown", "unknown"),
    ],
)  # fmt: skip
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_ipv6_address_is_counted_and_votes_with_its_48_as_well() -> None:
    address, narrow, wide = "2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"
    assert counted_of(address) == [(narrow, 1), (wide, 16)]
    assert voting_of(address) == [narrow, wide]
    for other in (HOME, f"::ffff:{HOME}"):
        assert counted_of(other) == [(HOME, 1)]
        assert voting_of(other) == [HOME]
    assert counted_of("6f1c0c9e-0000-4000-8000-000000000000") == [("6f1c0c9e-0000-4000-8000-000000000000", 1)]
