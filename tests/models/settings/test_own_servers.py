"""Which of our own servers the settings turn on, and which settings contradict them."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.settings.environment import read_config
from models.settings.own_servers import other_name, public_host, runs_caddy, runs_coturn, site_host
from tests.support.settings import faults_of

PUBLIC = {"BASE_URL": "https://meet.example.org", "ALLOW_TEST_CHECKOUT": "true"}
IN_IMAGE = {"HOST": "0.0.0.0", "TLS": "auto", "TURN": "auto"}
COTURN = {"TURN_URLS": "turn:turn.example.com", "TURN_SECRET": "0123456789abcdef"}


@pytest.mark.parametrize(
    ("environment", "caddy", "coturn"),
    [
        ({}, False, False),
        (PUBLIC, False, False),
        (IN_IMAGE, False, False),
        (IN_IMAGE | PUBLIC, True, True),
        (IN_IMAGE | PUBLIC | COTURN, True, False),
        (IN_IMAGE | PUBLIC | {"TLS": "off"}, False, True),
        (IN_IMAGE | PUBLIC | {"TRUSTED_PROXIES": "10.0.0.1"}, False, True),
        (IN_IMAGE | PUBLIC | {"TRUSTED_PROXIES": "10.0.0.1", "TLS": "on"}, True, True),
        (IN_IMAGE | PUBLIC | {"BASE_URL": "http://meet.example.org"}, False, True),
        (IN_IMAGE | PUBLIC | {"BASE_URL": "https://192.168.1.5"}, False, True),
        (IN_IMAGE | PUBLIC | {"BASE_URL": "https://meet.local"}, False, True),
        ({"TURN": "auto"}, False, True),
    ],
)
def test_what_runs(environment: dict[str, str], caddy: bool, coturn: bool) -> None:
    config = read_config(environment)
    assert (runs_caddy(config), runs_coturn(config)) == (caddy, coturn)


def test_behind_our_own_caddy_the_site_is_on_loopback_and_trusts_it() -> None:
    config = read_config(IN_IMAGE | PUBLIC)
    assert (site_host(config), public_host(config)) == ("127.0.0.1", "")
    assert [str(one) for one in config.trusted_proxies] == ["127.0.0.1/32", "::1/128"]
    assert site_host(read_config({"HOST": "0.0.0.0"})) == "0.0.0.0"


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({"TLS": "on"}, "TLS needs a BASE_URL that starts with https://"),
        ({"TLS": "on"} | PUBLIC | {"BASE_URL": "https://meet.local"}, "TLS needs a public name"),
        ({"TLS": "sometimes"}, "TLS must be one of"),
        ({"TLS": "auto"} | PUBLIC | {"HTTP_PORT": "443"}, "HTTPS_PORT must differ"),
        ({"TURN": "embedded"} | COTURN, "TURN must not be embedded"),
        ({"TURN": "embedded", "HOST": "0.0.0.0"}, "TURN must not be embedded when HOST is public"),
        ({"TLS": "auto", "TURN": "auto", "TURN_PORT": "443"} | PUBLIC, "TURN_PORT must be a port of its own"),
        ({"TURN": "embedded", "TURN_TLS_PORT": "8080"} | PUBLIC, "TURN_TLS_PORT must be a port of its own"),
        ({"TURN_MIN_PORT": "60000"}, "TURN_MIN_PORT must not be more"),
        ({"PUBLIC_IP": "meet.example.org"}, "PUBLIC_IP must be an IP address"),
        ({"RELAY_ONLY": "true"}, "RELAY_ONLY needs a TURN server: TURN=embedded"),
    ],
)
def test_contradictions_are_faults(environment: dict[str, str], fault: str) -> None:
    assert [one for one in faults_of(**environment) if one.startswith(fault)]


def test_relay_only_may_use_our_own_coturn() -> None:
    assert faults_of(RELAY_ONLY="true", TURN="embedded") == []


def test_coturn_on_all_interfaces_needs_a_public_address() -> None:
    assert faults_of(TURN="embedded", HOST="0.0.0.0", PUBLIC_IP="198.51.100.7") == []


@pytest.mark.parametrize(
    ("host", "other"),
    [
        ("meet.example.org", "www.meet.example.org"),
        ("www.example.org", "example.org"),
        ("localhost", None),
        ("192.0.2.1", None),
    ],
)
def test_the_other_name_is_with_or_without_www(host: str, other: str | None) -> None:
    assert other_name(host) == other


def test_the_authority_of_our_own_caddy_is_made_after_the_first_start(tmp_path: Path) -> None:
    later = {"SSL_CERT_FILE": str(tmp_path / "root.crt"), "BASE_URL": "https://localhost"}
    assert faults_of(**later)[0].startswith("SSL_CERT_FILE must be a file of certificates")
    assert read_config(later | {"TLS": "internal"}).ssl_cert_file == tmp_path / "root.crt"
