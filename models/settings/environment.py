"""Reading the settings from the environment. Every invalid setting is reported, all at once, by name only."""

from __future__ import annotations

from collections.abc import Mapping

from models.currencies import STRIPE_MINIMUM
from models.settings.checks import check_together
from models.settings.config import Config, ConfigError
from models.settings.faults import Faults
from models.settings.limits import RULES
from models.settings.own_servers import own_servers
from models.settings.reader import SettingsReader
from models.settings.site_addresses import service_url
from models.settings.urls import issuer

AGE_CHECKS = ("confirm", "dob", "provider")


def read_config(environment: Mapping[str, str]) -> Config:
    """The settings. Raises: ConfigError with all faults; it names settings and never shows a value."""
    faults = Faults()
    config = _read(SettingsReader(environment, faults))
    check_together(config, faults)
    if faults:
        raise ConfigError(list(faults), config)
    return own_servers(config)


def _read(read: SettingsReader) -> Config:
    port = read.integer("PORT", 8080, 1, 65535)
    base = Config()
    tls = read.choice("TLS", ("off", "auto", "on", "internal"), base.tls)
    # With `internal` it is that of our own Caddy, which makes it after the first start.
    authorities = read.optional_path if tls == "internal" else read.certificates
    return Config(
        environment=read.choice("ENVIRONMENT", ("development", "production"), base.environment),
        host=read.host("HOST", base.host),
        port=port,
        log_format=read.choice("LOG_FORMAT", ("json", "text"), base.log_format),
        workers=read.integer("WORKERS", 1, 1, 64),
        base_url=read.base_url("BASE_URL", f"http://localhost:{port}"),
        allowed_origins=read.origins("ALLOWED_ORIGINS"),
        trusted_proxies=read.networks("TRUSTED_PROXIES"),
        tls=tls,
        acme_directory=read.url("ACME_DIRECTORY", ("https",)),
        data_dir=read.directory("DATA_DIR", str(base.data_dir)),
        database_url=read.database_url("DATABASE_URL"),
        redis_url=read.redis_url("REDIS_URL"),
        secret_key=read.secret("SECRET_KEY", least=32),
        secret_key_previous=tuple(filter(None, [read.secret("SECRET_KEY_PREVIOUS", least=32)])),
        operator_name=read.line("OPERATOR_NAME"),
        operator_contact=read.line("OPERATOR_CONTACT"),
        stripe_secret_key=read.stripe_key("STRIPE_SECRET_KEY"),
        stripe_webhook_secrets=read.webhook_secrets("STRIPE_WEBHOOK_SECRET"),
        stripe_api_base=read.api_base("STRIPE_API_BASE", base.stripe_api_base),
        allow_test_checkout=read.flag("ALLOW_TEST_CHECKOUT"),
        allow_demo=read.flag("ALLOW_DEMO"),
        price_cents=read.integer("PRICE_CENTS", base.price_cents, 1, 99_999_999),
        currency=read.choice("CURRENCY", tuple(STRIPE_MINIMUM), base.currency),
        payment_methods=read.choice("PAYMENT_METHODS", ("immediate", "all"), base.payment_methods),
        statement_suffix=read.statement_suffix("STATEMENT_SUFFIX"),
        stripe_tax=read.flag("STRIPE_TAX"),
        seller_name=read.line("SELLER_NAME"),
        seller_address=read.line("SELLER_ADDRESS"),
        seller_tax_id=read.line("SELLER_TAX_ID"),
        seller_tax_percent=read.percent("SELLER_TAX_PERCENT"),
        consumer_law=read.choice("CONSUMER_LAW", ("none", "eu"), base.consumer_law),
        turn=read.choice("TURN", ("off", "auto", "embedded"), base.turn),
        public_ip=read.address("PUBLIC_IP"),
        turn_urls=read.turn_urls("TURN_URLS"),
        turn_secret=read.secret("TURN_SECRET", least=16),
        twilio_account_sid=read.account_sid("TWILIO_ACCOUNT_SID"),
        twilio_auth_token=read.secret("TWILIO_AUTH_TOKEN", least=8),
        twilio_api_base=read.api_base("TWILIO_API_BASE", base.twilio_api_base),
        stun_urls=read.stun_urls("STUN_URLS", base.stun_urls),
        smtp_url=read.mail_url("SMTP_URL"),
        mail_from=read.mail_address("MAIL_FROM"),
        alert_email=read.mail_address("ALERT_EMAIL"),
        alert_webhook_url=read.url("ALERT_WEBHOOK_URL", ("https", "http")),
        alert_webhook_secret=read.secret("ALERT_WEBHOOK_SECRET", least=16),
        export_report_texts=read.flag("EXPORT_REPORT_TEXTS"),
        reuploads=read.choice("REUPLOADS", ("refuse", "flag", "off"), base.reuploads),
        hash_match_url=read.url("HASH_MATCH_URL", ("https", "http"), service_url),
        hash_match_secret=read.secret("HASH_MATCH_SECRET", least=16),
        hash_match_action=read.choice("HASH_MATCH_ACTION", ("flag", "refuse"), base.hash_match_action),
        relay_only=read.flag("RELAY_ONLY"),
        minimum_age_check=read.choice("MINIMUM_AGE_CHECK", AGE_CHECKS, base.minimum_age_check),
        age_provider_url=read.url("AGE_PROVIDER_URL", ("https", "http"), issuer),
        age_client_id=read.line("AGE_CLIENT_ID"),
        age_client_secret=read.secret("AGE_CLIENT_SECRET", least=8),
        age_scope=read.text("AGE_SCOPE", base.age_scope),
        backup_dir=read.optional_path("BACKUP_DIR"),
        backup_key=read.secret("BACKUP_KEY", least=16),
        ssl_cert_file=authorities("SSL_CERT_FILE"),
        terms_file=read.text_file("TERMS_FILE"),
        privacy_file=read.text_file("PRIVACY_FILE"),
        terms_version=read.line("TERMS_VERSION"),
        **_read_rules(read, base),
    )


def _read_rules(read: SettingsReader, base: Config) -> dict[str, int]:
    return {
        name: read.integer(name.upper(), getattr(base, name), least, most)
        for name, (least, most) in RULES.items()
    }
