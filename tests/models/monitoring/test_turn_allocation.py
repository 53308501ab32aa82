"""One allocation on a real coturn: relays, refuses a wrong secret, or is not there."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from models.calls.turn import credential
from models.monitoring.turn_allocation import TurnServer, allocate
from tests.turn.coturn import SECRET, Coturn, free_port


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("turn:turn.example.com", TurnServer("turn.example.com", 3478, False)),
        ("turn:192.0.2.1:80?transport=tcp", TurnServer("192.0.2.1", 80, True)),
        ("turn:[2001:db8::1]:443?transport=udp", TurnServer("2001:db8::1", 443, False)),
        ("turns:turn.example.com:443?transport=tcp", None),
    ],
)
def test_urls(url: str, server: TurnServer | None) -> None:
    assert TurnServer.of(url) == server


def test_a_real_coturn(tmp_path: Path) -> None:
    username = f"{int(time.time()) + 60}:check-0123456789abcdef"
    with Coturn(tmp_path) as coturn:
        for is_tcp in (False, True):
            server = TurnServer("127.0.0.1", coturn.port, is_tcp)
            assert allocate(server, username, credential(SECRET, username)) == "relays"
            assert allocate(server, username, credential("another secret", username)) == "refused"


def test_nothing_there() -> None:
    for is_tcp in (False, True):
        assert allocate(TurnServer("127.0.0.1", free_port(), is_tcp), "user", "password") == "silent"
    assert allocate(TurnServer("no.such.name.invalid", 3478, False), "user", "password") == "silent"
