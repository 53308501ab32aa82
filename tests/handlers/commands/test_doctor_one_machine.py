"""The doctor on a site as one container runs it, with our own Caddy, coturn, PostgreSQL and Redis."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.server_process import ServerProcess
from tests.turn.coturn import free_port


@pytest.mark.prove
def test_every_check_is_fine_and_calls_go_over_udp_tcp_and_tls(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    https, turn, turns = free_port(), free_port(), free_port()
    authority = place / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    settings = {
        "BASE_URL": f"https://localhost:{https}", "TLS": "internal", "TURN": "embedded",
        "HTTPS_PORT": str(https), "HTTP_PORT": str(free_port()), "TURN_PORT": str(turn),
        "TURN_TLS_PORT": str(turns), "SSL_CERT_FILE": str(authority), "SMTP_URL": "", "MAIL_FROM": "",
    }  # fmt: skip
    server = ServerProcess(place, free_port(), **settings)
    server.start()
    try:
        lines = json.loads(server.command("doctor", "--json"))["lines"]
    finally:
        server.stop()
    assert [line for line in lines if line["state"] == "wrong"] == []
    ways = [line["text"].partition(": ")[0] for line in lines if line["check"] == "relayed"]
    assert len(ways) == 3
    assert {way.partition("?")[2] or way.partition(":")[0] for way in ways} == {"turn", "transport=tcp"}
    assert sum(way.startswith("turns:") for way in ways) == 1
