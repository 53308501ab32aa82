"""The line of a start: what was chosen, and no secret."""

from __future__ import annotations

import json

from handlers.commands.start_line import choices, version
from models.settings.environment import read_config

SECRETS = {
    "SECRET_KEY": "k" * 40, "STRIPE_SECRET_KEY": "sk_test_0123456789abcdef",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef", "TURN_SECRET": "t" * 20,
    "DATABASE_URL": "postgresql://me:password1@db/site", "REDIS_URL": "rediss://me:password2@cache",
    "PRICE_CENTS": "100",
}  # fmt: skip


def test_it_names_the_choices_and_no_secret() -> None:
    others = {"BASE_URL": "https://meet.example.org", "TURN_URLS": "turn:turn.example.org", "TLS": "auto"}
    told = choices(read_config(SECRETS | others | {"WORKERS": "4"}))
    assert told == {
        "version": version(),
        "environment": "development",
        "base_url": "https://meet.example.org",
        "database": "external",
        "redis": "external",
        "tls": "auto",
        "turn": "coturn (turn:turn.example.org)",
        "stripe": "test keys",
        "mail": "none",
        "trusted_proxies": ["127.0.0.1/32", "::1/128"],
        "workers": 4,
    }
    text = json.dumps(told)
    assert not [value for value in SECRETS.values() if value in text or "password" in text]


def test_without_settings() -> None:
    told = choices(read_config({}))
    words = ("built in", "built in", "none", "none", "test checkout")
    assert tuple(told[name] for name in ("database", "redis", "tls", "turn", "stripe")) == words
