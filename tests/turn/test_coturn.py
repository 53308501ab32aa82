"""The coturn settings that we ship, held by a real coturn: who may use it, how much, and where it leads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.calls.turn import credential
from tests.turn.coturn import LOOPBACK, RELAYS, SECRET, SHIPPED, Coturn, Tls
from tests.turn.stun import SOFTWARE, Refused, TurnClient

UNAUTHORIZED, FORBIDDEN, QUOTA = 401, 403, 486
REFUSED = {
    4: """
        127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255
        169.254.169.254 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 192.0.0.1 192.0.2.2 192.88.99.1
        198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    """,
    6: """
        ::1 :: ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 64:ff9b::a00:1
        64:ff9b:1::7f00:1 100::1 2001::1 2001:db8::1 2002:7f00:1::1 2002:a00:1::1 fc00::1 fd00::2
        fd12:3456:789a::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1
    """,
}
# The internet: just outside of ranges that are refused, too. A permission sends nothing there.
PERMITTED = {
    4: """
        8.8.8.8 1.0.0.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 169.253.255.255 172.15.255.255
        172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 223.255.255.255
    """,
    6: "2606:4700::1111 2001:4860:4860::8888 2a00:1450::1 2003::1 2620::1",
}


def signed(seconds: int = 60, user: str = "call-anna", secret: str = SECRET) -> tuple[str, str]:
    """TURN REST credentials as the site makes them."""
    username = f"{int(time.time()) + seconds}:{user}"
    return username, credential(secret, username)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    with Coturn(tmp_path_factory.mktemp("shipped")) as coturn:
        yield coturn


def refusal(client: TurnClient, host: str) -> int:
    """The number of the error; 0 when the peer is permitted."""
    try:
        client.permit(host)
    except Refused as refused:
        return refused.code
    return 0


@pytest.mark.parametrize("family", [4, 6][: len(RELAYS)])
def test_as_shipped_it_leads_to_the_public_internet_only(shipped: Coturn, family: int) -> None:
    with TurnClient.open(shipped.port, *signed()) as client:
        client.allocate(family)
        refused, permitted = REFUSED[family].split(), PERMITTED[family].split()
        assert {host: refusal(client, host) for host in refused} == dict.fromkeys(refused, FORBIDDEN)
        assert {host: refusal(client, host) for host in permitted} == dict.fromkeys(permitted, 0)


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
def test_with_one_line_for_loopback_it_relays(tmp_path: Path, way: str) -> None:
    tls = Tls(tmp_path) if way == "tls" else None
    with (
        Coturn(tmp_path, LOOPBACK, tls=tls) as coturn,
        TurnClient.open(coturn.port, *signed(), is_tcp=way == "tcp", tls_port=tls and tls.port) as anna,
        TurnClient.open(coturn.port, *signed(user="call-ben")) as ben,
    ):
        anna.allocate()
        ben.allocate()
        for one, other in ((anna, ben), (ben, anna)):
            one.permit(*other.relayed)
        anna.send(ben.relayed, b"hello")
        assert ben.receive() == b"hello"
        ben.send(anna.relayed, b"yes?")
        assert anna.receive() == b"yes?"


def test_a_peer_that_was_not_permitted_is_not_heard(tmp_path: Path) -> None:
    with (
        Coturn(tmp_path, LOOPBACK) as coturn,
        TurnClient.open(coturn.port, *signed()) as anna,
        TurnClient.open(coturn.port, *signed(user="call-ben")) as ben,
    ):
        anna.allocate()
        ben.allocate()
        anna.permit(*ben.relayed)
        anna.sock.settimeout(0.5)
        anna.send(ben.relayed, b"hello")
        ben.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            ben.receive()


FORGED = {
    "just expired": lambda: signed(-1),
    "long expired": lambda: signed(-3600),
    "another secret": lambda: signed(secret="another secret of 16"),
    "another end": lambda: (signed(61)[0], signed(60)[1]),
    "no end": lambda: ("call-anna", credential(SECRET, "call-anna")),
}


@pytest.mark.parametrize("kind", FORGED)
def test_other_credentials_get_nothing(shipped: Coturn, kind: str) -> None:
    with TurnClient.open(shipped.port, *FORGED[kind]()) as client, pytest.raises(Refused) as refused:
        client.allocate()
    assert refused.value.code == UNAUTHORIZED


def quota() -> int:
    (line,) = [line for line in SHIPPED.read_text().splitlines() if line.startswith("user-quota=")]
    return int(line.partition("=")[2])


def test_one_person_cannot_use_up_all_and_takes_nothing_from_others(shipped: Coturn) -> None:
    clients = [TurnClient.open(shipped.port, *signed(60 + n, "call-greedy")) for n in range(quota() + 1)]
    try:
        for client in clients[:-1]:
            client.allocate()
        with pytest.raises(Refused) as refused:
            clients[-1].allocate()
        assert refused.value.code == QUOTA
        for user in ("call-modest", "check-greedy"):
            with TurnClient.open(shipped.port, *signed(user=user)) as other:
                other.allocate()
    finally:
        for client in clients:
            client.sock.close()


def test_it_does_not_say_what_it_is_and_asks_who_asks(shipped: Coturn) -> None:
    with TurnClient.open(shipped.port) as client:
        answer = client.bind()
        assert SOFTWARE not in answer.attributes
        with pytest.raises(Refused) as refused:
            client.allocate()
    assert refused.value.code == UNAUTHORIZED


def test_every_limit_is_set() -> None:
    names = {
        line.partition("=")[0]
        for line in SHIPPED.read_text().splitlines()
        if line and not line.startswith("#")
    }
    limits = {"user-quota", "total-quota", "max-bps", "max-allocate-lifetime", "stale-nonce"}
    closed = {
        "no-cli",
        "no-multicast-peers",
        "no-tcp-relay",
        "no-tlsv1",
        "no-tlsv1_1",
        "use-auth-secret",
        "realm",
    }
    assert limits | closed <= names
    assert not names & {"allow-loopback-peers", "no-auth", "static-auth-secret", "verbose", "allowed-peer-ip"}
