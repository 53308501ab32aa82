"""The line that a start logs: the version and the choices that the settings made; never a secret."""

from __future__ import annotations

import logging

from handlers.http.assets import ROOT
from models.settings.config import Config
from models.settings.own_servers import runs_caddy

logger = logging.getLogger("napalmsky")
VERSION = ROOT / "VERSION"


def version() -> str:
    return VERSION.read_text(encoding="utf-8").strip() if VERSION.exists() else "development"


def log_start(config: Config) -> None:
    logger.info("started", extra=choices(config))


def choices(config: Config) -> dict[str, object]:
    """`config` as it is once our own servers run."""
    return {
        "version": version(),
        "environment": config.environment,
        "base_url": config.base_url,
        "database": "external" if config.database_url else "built in",
        "redis": "external" if config.redis_url else "built in",
        "tls": config.tls if runs_caddy(config) else "by a proxy" if config.is_secure else "none",
        "turn": _turn(config),
        "stripe": _stripe(config),
        "mail": "on" if config.smtp_url else "none",
        "trusted_proxies": [str(one) for one in config.trusted_proxies],
        "workers": config.workers,
    }


def _turn(config: Config) -> str:
    if config.turn_urls:
        return f"coturn ({', '.join(config.turn_urls)})"
    if config.twilio_account_sid:
        return "Twilio"
    return "STUN only" if config.stun_urls else "none"


def _stripe(config: Config) -> str:
    key = config.stripe_secret_key
    if key is None:
        return "test checkout" if config.has_test_checkout else "none"
    return "live" if "_live_" in key else "test keys"
