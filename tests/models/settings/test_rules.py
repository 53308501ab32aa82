"""The ranges of numbers, checks of two settings at once, and the parts that judge one value."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from models.settings import database_url, redis_url
from models.settings.checks import check_together
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from models.settings.faults import Faults
from models.settings.limits import RULES
from models.settings.paths import MOST_TEXT_BYTES, plain_path, text_file


def test_every_default_is_in_its_range() -> None:
    defaults = Config()
    assert RULES.keys() <= {field.name for field in fields(Config)}
    for name, (least, most) in RULES.items():
        assert least <= getattr(defaults, name) <= most, name


SECURE = {"BASE_URL": "https://sky.test", "ALLOW_TEST_CHECKOUT": "true"}


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"call_min_seconds": 900, "call_max_seconds": 600}, "CALL_MIN_SECONDS"),
        ({"call_default_seconds": 60, "call_min_seconds": 120}, "CALL_DEFAULT_SECONDS"),
        ({"smtp_url": "smtp://localhost"}, "MAIL_FROM"),
        ({"mail_from": "a@example.org"}, "SMTP_URL"),
        ({"stripe_secret_key": "sk_test_1"}, "STRIPE_WEBHOOK_SECRET"),
    ],
)
def test_two_settings_that_do_not_fit_are_named(changes: dict[str, object], setting: str) -> None:
    faults = Faults()
    check_together(replace(Config(), **changes), faults)  # type: ignore[arg-type]
    assert any(fault.startswith(setting) for fault in faults), faults
    nothing = Faults()
    check_together(Config(), nothing)
    assert not nothing


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"BASE_URL": "meet.example.org", "TLS": "on"}, ["BASE_URL"]),
        ({"TURN_URLS": "turn.example.org", "RELAY_ONLY": "true"}, ["TURN_URLS"]),
        ({"HTTP_PORT": "http", "PORT": "80", "TLS": "internal", **SECURE}, ["HTTP_PORT"]),
        ({"WORKERS": "x", "MAIL_FROM": "a@example.org"}, ["WORKERS", "SMTP_URL"]),
    ],
)
def test_what_follows_only_from_the_default_of_a_refused_setting_is_not_reported(
    environment: dict[str, str], named: list[str]
) -> None:
    with pytest.raises(ConfigError) as error:
        read_config(environment)
    assert [fault.split()[0] for fault in error.value.faults] == named


def test_a_database_url_is_judged_as_libpq_parses_it() -> None:
    for good in ("postgresql://u:p@h/d", "host=h dbname=d"):
        assert database_url.judged(good) == good
    for bad in ("postgresql://u:p/b@h/d", "postgresql://u@h/d?schema=x", "host=h port=x", "nonsense"):
        with pytest.raises(ValueError, match="must"):
            database_url.judged(bad)


def test_a_redis_url_is_judged_as_it_will_be_used() -> None:
    for good in ("redis://h:6379/0", "rediss://u:p@h", "unix:///run/redis.sock"):
        assert redis_url.judged(good) == good
    for bad in ("redis://", "redis://a,b", "redis://h/x", "unix://run", "redis://h/0#x", "redis://h?port=1"):
        with pytest.raises(ValueError, match="must"):
            redis_url.judged(bad)


@pytest.mark.parametrize("text", ["~/data", "file:///data", "$HOME/data", "%APPDATA%", "<data>"])
def test_a_placeholder_is_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="plain path"):
        plain_path(text)


def test_a_text_file_is_readable_and_not_large(tmp_path: Path) -> None:
    file = tmp_path / "terms.txt"
    assert is_refused(file)
    for content in (b"\xff", b"x" * (MOST_TEXT_BYTES + 1)):
        file.write_bytes(content)
        assert is_refused(file)
    file.write_text("Terms")
    assert text_file(str(file)) == plain_path(str(file)) == file


def is_refused(file: Path) -> bool:
    try:
        text_file(str(file))
    except ValueError:
        return True
    return False
