"""Checks that need two settings at once. Adds every fault, raises nothing."""

from __future__ import annotations

from models.currencies import STRIPE_MINIMUM
from models.settings.config import Config
from models.settings.faults import Faults
from models.settings.own_servers import has_public_name, runs_caddy, runs_coturn
from models.settings.site_addresses import BLOCKED, BLOCKED_PORTS


def check_together(config: Config, faults: Faults) -> None:
    """What follows only from the default of a setting that was refused is left out."""
    found, refused = Faults(), Faults(faults)
    _check_all(config, found)
    for fault in found:
        if not refused.concerns(fault):
            name, _, what = fault.partition(" ")
            faults.add(name, what)


def _check_all(config: Config, faults: Faults) -> None:
    if config.call_min_seconds > config.call_max_seconds:
        faults.add("CALL_MIN_SECONDS", "must not be more than CALL_MAX_SECONDS")
    if not config.call_min_seconds <= config.call_default_seconds <= config.call_max_seconds:
        faults.add("CALL_DEFAULT_SECONDS", "must lie between CALL_MIN_SECONDS and CALL_MAX_SECONDS")
    if config.port in BLOCKED_PORTS and config.base_url == f"http://localhost:{config.port}":
        faults.add("PORT", f"must not be {BLOCKED}, unless BASE_URL names another one")
    if config.secret_key_previous and not config.secret_key:
        faults.add("SECRET_KEY", "is needed as well when SECRET_KEY_PREVIOUS is set")
    _check_age(config, faults)
    _check_mail(config, faults)
    _check_stripe(config, faults)
    _check_turn(config, faults)
    if config.is_production:
        _check_production(config, faults)
    if config.is_production and not config.is_secure and not config.is_loopback:
        faults.add("BASE_URL", "must be https in production: browsers give no camera to a plain http page")


def _check_production(config: Config, faults: Faults) -> None:
    """Who runs the site, and a secret that is not in the database."""
    if not config.operator_name:
        faults.add("OPERATOR_NAME", "is needed in production: who runs the site, for its imprint")
    if not config.operator_contact:
        faults.add("OPERATOR_CONTACT", "is needed in production: an address for users and authorities")
    if not config.secret_key:
        faults.add("SECRET_KEY", "is needed in production: 32 random characters, not kept in the database")
    if (config.stripe_secret_key or "").startswith(("sk_test_", "rk_test_")):
        faults.add("STRIPE_SECRET_KEY", "must be a live key in production; this one is for tests")


def _check_age(config: Config, faults: Faults) -> None:
    if not config.asks_age_proof:
        return
    for name in ("AGE_PROVIDER_URL", "AGE_CLIENT_ID", "AGE_CLIENT_SECRET"):
        if not getattr(config, name.lower()):
            faults.add(name, "is needed as well when MINIMUM_AGE_CHECK is provider")
    if "openid" not in config.age_scope.split():
        faults.add("AGE_SCOPE", "must contain openid")


def _check_mail(config: Config, faults: Faults) -> None:
    if config.smtp_url and not config.mail_from:
        faults.add("MAIL_FROM", "is needed as well when SMTP_URL is set")
    if config.alert_email and not config.smtp_url:
        faults.add("SMTP_URL", "is needed as well when ALERT_EMAIL is set")
    if config.alert_webhook_secret and not config.alert_webhook_url:
        faults.add("ALERT_WEBHOOK_URL", "is needed as well when ALERT_WEBHOOK_SECRET is set")
    if bool(config.hash_match_url) != bool(config.hash_match_secret):
        missing = "HASH_MATCH_SECRET" if config.hash_match_url else "HASH_MATCH_URL"
        faults.add(missing, "is needed as well: HASH_MATCH_URL and HASH_MATCH_SECRET go together")
    if config.mail_from and not config.smtp_url:
        faults.add("SMTP_URL", "is needed as well when MAIL_FROM is set")


def _check_stripe(config: Config, faults: Faults) -> None:
    key, secrets = config.stripe_secret_key, config.stripe_webhook_secrets
    if key and not secrets:
        faults.add("STRIPE_WEBHOOK_SECRET", "is needed as well when STRIPE_SECRET_KEY is set")
    if config.stripe_tax and config.seller_tax_percent is not None:
        faults.add("SELLER_TAX_PERCENT", "must not be set when STRIPE_TAX computes the tax")
    if secrets and not key:
        faults.add("STRIPE_SECRET_KEY", "is needed as well when STRIPE_WEBHOOK_SECRET is set")
    if key and config.price_cents < STRIPE_MINIMUM.get(config.currency, 0):
        least = STRIPE_MINIMUM[config.currency]
        faults.add("PRICE_CENTS", f"is below Stripe's minimum of {least} for {config.currency.upper()}")
    if config.is_production and not key:
        faults.add("STRIPE_SECRET_KEY", "is needed in production: the test checkout is not served there")
    if not (key or config.allow_test_checkout or config.is_loopback or config.is_production):
        faults.add(
            "STRIPE_SECRET_KEY", "is needed on a public BASE_URL (or ALLOW_TEST_CHECKOUT=true for a trial)"
        )


def _check_turn(config: Config, faults: Faults) -> None:
    pairs = (("TURN_URLS", "TURN_SECRET"), ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"))
    values = ((config.turn_urls, config.turn_secret), (config.twilio_account_sid, config.twilio_auth_token))
    for names, (one, two) in zip(pairs, values, strict=True):
        if bool(one) != bool(two):
            missing, present = names if two else reversed(names)
            faults.add(missing, f"is needed as well when {present} is set")
    _check_own_servers(config, faults)
    if config.relay_only and not runs_coturn(config) and not any(one and two for one, two in values):
        faults.add(
            "RELAY_ONLY",
            f"needs a TURN server: TURN=embedded, {' and '.join(pairs[0])}, or {' and '.join(pairs[1])}",
        )


def _check_own_servers(config: Config, faults: Faults) -> None:
    if config.turn == "embedded" and config.turn_urls:
        faults.add("TURN", "must not be embedded when TURN_URLS names another server")
    if config.turn == "embedded" and config.is_loopback and not (config.is_host_loopback or config.public_ip):
        faults.add("TURN", "must not be embedded when HOST is public and BASE_URL is not, without PUBLIC_IP")
    if config.turn_min_port > config.turn_max_port:
        faults.add("TURN_MIN_PORT", "must not be more than TURN_MAX_PORT")
    if runs_caddy(config) and not config.is_secure:
        faults.add("TLS", "needs a BASE_URL that starts with https://")
    if runs_caddy(config) and config.tls != "internal" and not has_public_name(config):
        faults.add("TLS", "needs a public name in BASE_URL; TLS=internal signs certificates for any other")
    if runs_caddy(config) and len({config.port, config.http_port, config.https_port}) < 3:
        faults.add("HTTPS_PORT", "must differ from HTTP_PORT and PORT")
    if runs_coturn(config):
        taken = {config.port, *((config.http_port, config.https_port) if runs_caddy(config) else ())}
        for name in ("TURN_PORT", "TURN_TLS_PORT"):
            if getattr(config, name.lower()) in taken:
                faults.add(name, "must be a port of its own, not PORT, HTTP_PORT or HTTPS_PORT")
