"""TURN settings: what is rejected at the start, every fault at once, and never the value."""

from __future__ import annotations

import pytest

from models.settings.environment import read_config
from tests.support.settings import faults_of

SECRET = "0123456789abcdef"
SID, TOKEN = "AC0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"
COTURN = {"TURN_URLS": "turn:turn.example.com:3478", "TURN_SECRET": SECRET}
TWILIO = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN}


def test_every_form_of_turn_url_is_read_in_order() -> None:
    urls = (
        "turn:turn.example.com",
        "turn:turn.example.com:3478?transport=tcp",
        "turn:192.0.2.1:3478?transport=udp",
        "turns:[2001:db8::1]:443?transport=tcp",
        "turns:turn.example.com:443",
    )
    assert read_config({"TURN_URLS": ", ".join(urls), "TURN_SECRET": SECRET}).turn_urls == urls


@pytest.mark.parametrize(
    "url",
    [
        "stun:turn.example.com",
        "turn://turn.example.com",
        "turn:",
        "turn:a b",
        "turn:a:port",
        "turn:a?transport=sctp",
        "turn:user@a",
        "http://a",
        "turn:a:3478/x",
        "turn:a,http://b",
        "turn:-a-",
    ],
)
def test_an_invalid_url_is_rejected(url: str) -> None:
    (fault,) = [fault for fault in faults_of(TURN_URLS=url, TURN_SECRET=SECRET) if "addresses" in fault]
    assert fault.startswith("TURN_URLS must be turn: or turns: addresses")


@pytest.mark.parametrize("pair", [COTURN, TWILIO], ids=["coturn", "twilio"])
def test_half_of_the_credentials_does_not_start(pair: dict[str, str]) -> None:
    assert not faults_of(**pair)
    for name, value in pair.items():
        (missing,) = pair.keys() - {name}
        assert faults_of(**{name: value}) == [f"{missing} is needed as well when {name} is set"]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("TURN_SECRET", "short", "must have at least 16 characters"),
        ("TWILIO_ACCOUNT_SID", "SK0123456789abcdef0123456789abcdef", "must be a Twilio account SID"),
        ("TWILIO_ACCOUNT_SID", "AC../../Accounts", "must be a Twilio account SID"),
        ("TWILIO_API_BASE", "http://twilio.example.com", "must"),
        ("TWILIO_API_BASE", "https://a.test/path", "must"),
        ("RELAY_ONLY", "perhaps", "must be true or false"),
        ("TURN_TTL_SECONDS", "59", "must be a whole number"),
    ],
)
def test_invalid_values_are_rejected_without_being_shown(name: str, value: str, what: str) -> None:
    told = faults_of(**COTURN | TWILIO | {name: value})
    assert [fault for fault in told if fault.startswith(f"{name} {what}")]
    assert value not in "\n".join(told)


def test_another_api_url_needs_tls_or_loopback() -> None:
    for base in ("https://twilio.example.com", "http://127.0.0.1:8000", "http://localhost:8000"):
        assert read_config(TWILIO | {"TWILIO_API_BASE": base}).twilio_api_base == base


def test_relay_only_without_a_turn_server_is_rejected() -> None:
    (fault,) = faults_of(RELAY_ONLY="true", STUN_URLS="stun:stun.example.com")
    assert fault.startswith(
        "RELAY_ONLY needs a TURN server: TURN=embedded, TURN_URLS and TURN_SECRET, or TWILIO_ACCOUNT_SID"
    )
    for provider in (COTURN, TWILIO):
        assert read_config({"RELAY_ONLY": "true", **provider}).relay_only


def test_secrets_are_in_no_repr() -> None:
    shown = repr(read_config(COTURN | TWILIO))
    assert not [secret for secret in (SECRET, SID, TOKEN) if secret in shown]
