"""Settings: all faults at once, by name and never by value; and the consequences of BASE_URL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.settings.config import Config, is_loopback
from models.settings.environment import read_config
from tests.support.settings import faults_of

SECRET = "sk_live_0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("BASE_URL", ["example.com", "ftp://example.com", "https://", "https://example.com/path",
                      "https://a b", "https://example.com:x", "https://example.com:99999", "https://example.com?x",
                      "https://user@example.com", "https://exa_mple..", "https://example.com\\"]),
        ("ALLOWED_ORIGINS", ["*", "null", "example.com", "https://a.example,https://b.example/x"]),
        ("TRUSTED_PROXIES", ["proxy.example", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.1,x"]),
        ("PORT", ["0", "65536", "-1", "80.0", "eighty", "８０", "9" * 5000]),
        ("ENVIRONMENT", ["staging", "prod"]),
        ("DATABASE_URL", ["mysql://x", "postgres", "postgresql:/x:y:z@"]),
        ("REDIS_URL", ["http://x", "redis", "localhost:6379"]),
        ("SECRET_KEY", ["short"]),
        ("ALLOW_TEST_CHECKOUT", ["maybe", "2"]),
        ("RELAY_ONLY", ["perhaps"]),
        ("STUN_URLS", ["turn:x", "stun.example"]),
        ("RING_SECONDS", ["4", "121", "x"]),
        ("CALL_MIN_SECONDS", ["59", "1801"]),
    ],
)  # fmt: skip
def test_invalid_values_are_rejected_by_name(name: str, values: list[str]) -> None:
    for value in values:
        found = faults_of(**{name: value})
        assert found, value
        assert found[0].startswith(f"{name} "), (value, found)


def test_a_fault_never_shows_the_value() -> None:
    names = [name for name in Config.__dataclass_fields__ if name not in ("host", "data_dir")]
    value = "zz-private-zz"
    found = faults_of(**{name.upper(): value for name in names}, STRIPE_WEBHOOK_SECRET=value)
    assert len(found) > 20
    assert not [fault for fault in found if "private" in fault]


def test_all_faults_are_reported_at_once() -> None:
    found = faults_of(PORT="x", BASE_URL="y", CURRENCY="z", RING_SECONDS="0", STUN_URLS="w")
    assert {fault.split()[0] for fault in found} >= {
        "PORT",
        "BASE_URL",
        "CURRENCY",
        "RING_SECONDS",
        "STUN_URLS",
    }


def test_combinations_of_settings_that_do_not_fit() -> None:
    assert [f.split()[0] for f in faults_of(CALL_MIN_SECONDS="400", CALL_MAX_SECONDS="300")] == [
        "CALL_MIN_SECONDS", "CALL_DEFAULT_SECONDS",
    ]  # fmt: skip
    assert faults_of(CALL_MIN_SECONDS="400") == [
        "CALL_DEFAULT_SECONDS must lie between CALL_MIN_SECONDS and CALL_MAX_SECONDS"
    ]
    assert [f.split()[0] for f in faults_of(SMTP_URL="smtp://x")] == ["MAIL_FROM"]
    assert [f.split()[0] for f in faults_of(MAIL_FROM="a@example.com")] == ["SMTP_URL"]


def test_secrets_are_not_in_the_repr() -> None:
    secret = {
        "secret_key", "stripe_secret_key", "turn_secret", "twilio_auth_token", "database_url", "redis_url",
        "smtp_url",
    }  # fmt: skip
    config = replace(Config(), stripe_webhook_secrets=(SECRET,), **dict.fromkeys(secret, SECRET))
    assert SECRET not in repr(config)
    assert SECRET not in str(config)


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Config().port = 1  # type: ignore[misc]


def test_a_base_url_without_a_port_follows_the_port() -> None:
    assert read_config({"PORT": "9000"}).base_url == "http://localhost:9000"
    named = {"BASE_URL": "https://X.example:8443/", "ALLOW_TEST_CHECKOUT": "true"}
    assert read_config(named).base_url == "https://x.example:8443"


def test_loopback_names_count_only_for_the_default_base_url() -> None:
    default = read_config({"PORT": "9000"})
    assert default.origins == {"http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]:9000"}
    named = read_config({"BASE_URL": "https://x.example", "ALLOW_TEST_CHECKOUT": "true",
                         "ALLOWED_ORIGINS": "https://app.example, http://localhost:3000"})  # fmt: skip
    assert named.origins == {"https://x.example", "https://app.example", "http://localhost:3000"}
    other = read_config({"PORT": "9000", "BASE_URL": "http://localhost:8080"})
    assert other.origins == {"http://localhost:8080"}


@pytest.mark.parametrize(
    ("url", "loopback"),
    [("http://localhost:1", True), ("http://127.0.0.1", True), ("http://[::1]:1", True),
     ("https://x.example", False), ("http://localhost.example", False), ("http://127.0.0.2", False)],
)  # fmt: skip
def test_which_addresses_are_loopback(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


def test_which_base_urls_are_behind_tls() -> None:
    assert replace(Config(), base_url="https://x.example").is_secure
    assert not Config().is_secure
