"""TRUSTED_PROXIES and HOST: each fault with its own cause."""

from __future__ import annotations

import ipaddress

import pytest

from models.settings.networks import is_wide, listening_host, network
from models.settings.urls import Unusable

NETWORKS = {
    "begin at their first address": ["10.0.0.1/8", "2001:db8::1/32", "::1/0", "::ffff:10.0.0.1/104"],
    "commas": ["10.0.0.1;10.0.0.2", "10.0.0.1 10.0.0.2", "10.0.0.1|10.0.0.2", "10.0.0.0 /8"],
    "wildcard": ["*", "10.0.0.*", "*.example"],
    "without http": ["http://10.0.0.1", "unix:///run/proxy"],
    "without a port": ["10.0.0.1:80", "[::1]:80", "[::1]:"],
    "range": ["10.0.0.1-10.0.0.9"],
    "leading zeros": ["010.0.0.1", "10.0.0.01"],
    "length of at most": ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129"],
    "no sender": ["0.0.0.0", "::", "[::]", "224.0.0.1", "255.255.255.255", "ff02::1"],
    "names are not looked up": ["proxy.example", "private", "10/8", "127.1", "1", "0x7f000001", "[::1",
                                "::1]", "+10.0.0.1", "10.0.0"],
}  # fmt: skip
HOSTS = {
    "0.0.0.0 to listen on all": ["*"],
    "without http": ["http://localhost", "127.0.0.1/8", "localhost/"],
    "without brackets": ["[::]", "[::1]:80", "localhost:8080", "1.2.3.4:80"],
    "one address": ["a,b", "a b"],
    "in its own form": ["::ffff:127.0.0.1", "::ffff:7f00:1"],
    "multicast": ["224.0.0.1", "ff02::1", "255.255.255.255"],
}  # fmt: skip


@pytest.mark.parametrize(("cause", "text"), [(cause, text) for cause in NETWORKS for text in NETWORKS[cause]])
def test_networks_with_a_fault(cause: str, text: str) -> None:
    with pytest.raises(Unusable, match=cause) as refused:
        network(text)
    assert str(refused.value).startswith("must ")


@pytest.mark.parametrize(("cause", "text"), [(cause, text) for cause in HOSTS for text in HOSTS[cause]])
def test_hosts_with_a_fault(cause: str, text: str) -> None:
    with pytest.raises(Unusable, match=cause):
        listening_host(text)


@pytest.mark.parametrize("text", ["0.0.0.0", "::", "127.1", "localhost", "fe80::1%eth0", "a_b.example", "0"])
def test_usable_hosts(text: str) -> None:
    assert listening_host(text) == text


@pytest.mark.parametrize(
    ("text", "wide"),
    [("0.0.0.0/0", True), ("::/0", True), ("::ffff:0:0/96", True), ("0.0.0.0/1", True), ("2000::/3", True),
     ("10.0.0.0/8", False), ("10.0.0.0/255.0.0.0", False), ("fc00::/7", False), ("fe80::/10", False),
     ("2001:db8::/32", False), ("203.0.113.7", False)],
)  # fmt: skip
def test_networks_that_strangers_are_in(text: str, wide: bool) -> None:
    assert is_wide(network(text)) is wide


def test_mapped_addresses_are_ipv4() -> None:
    assert network("::ffff:10.0.0.0/104") == ipaddress.ip_network("10.0.0.0/8")
