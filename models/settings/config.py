"""The settings of a process: read once from the environment, frozen, every fault reported at once.

`Config.read(environment)` names each faulty setting and never shows its value; secrets never appear in
`repr`.
docs/operations.md lists every setting; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.currencies import amount_text
from models.settings.checks import check_together
from models.settings.limits import RULES, STRIPE_MINIMUM
from models.settings.reader import Faults, SettingsReader
from models.settings.urls import Network
from models.settings.web_origins import LOOPBACK_HOSTS, accepted_origins, host_of, normal_base


class ConfigError(Exception):
    """Every fault of the environment at once, one line each. `config` has defaults for what is faulty."""

    def __init__(self, faults: list[str], config: Config) -> None:
        self.faults, self.config = faults, config
        super().__init__("\n".join(faults))


@dataclass(frozen=True, slots=True)
class Config:
    environment: str = "development"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    base_url: str = "http://localhost:8080"
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[Network, ...] = ()
    data_dir: Path = Path("data")
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    stripe_api_base: str = "https://api.stripe.com"
    allow_test_checkout: bool = False
    price_cents: int = 1
    currency: str = "usd"
    turn_urls: tuple[str, ...] = ()
    turn_secret: str | None = field(default=None, repr=False)
    twilio_account_sid: str | None = field(default=None, repr=False)
    twilio_auth_token: str | None = field(default=None, repr=False)
    twilio_api_base: str = "https://api.twilio.com"
    stun_urls: tuple[str, ...] = ()
    relay_only: bool = False
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    minimum_age_check: str = "confirm"
    terms_file: Path | None = None
    privacy_file: Path | None = None
    guest_days: int = 7
    account_days: int = 30
    member_days: int = 365
    code_uses: int = 4
    code_after_calls: int = 4
    call_min_seconds: int = 60
    call_max_seconds: int = 1800
    call_default_seconds: int = 300
    ring_seconds: int = 20
    ring_extends: int = 2
    connect_seconds: int = 30
    reconnect_seconds: int = 30
    pause_seconds: int = 60
    success_seconds: int = 30
    cooldown_connected_seconds: int = 24 * 3600
    cooldown_declined_seconds: int = 24 * 3600
    cooldown_missed_seconds: int = 3600
    guests_per_hour: int = 20
    unknown_codes_per_hour: int = 5
    bcrypt_cost: int = 12
    sign_in_failures: int = 5
    sign_in_failures_per_address: int = 20
    sign_in_minutes: int = 15
    recovery_link_minutes: int = 30
    staff_session_hours: int = 12
    staff_idle_minutes: int = 30
    api_per_minute: int = 120
    reports_per_day: int = 20
    exports_per_hour: int = 1
    ban_reporters: int = 4
    address_ban_hours: int = 24
    address_days: int = 7
    chat_days: int = 90
    report_days: int = 365
    invite_days: int = 30
    event_days: int = 90
    guest_unused_days: int = 7
    ended_session_days: int = 7
    contacts_hours: int = 24
    introduction_days: int = 7
    turn_per_hour: int = 30
    turn_checks_per_hour: int = 3
    turn_check_seconds: int = 60
    turn_ttl_seconds: int = 3600
    invite_messages_per_second: int = 20
    relay_messages_per_second: int = 100
    chat_messages_per_second: int = 2
    chat_messages_per_call: int = 600
    sockets_per_person: int = 20
    sockets_per_address: int = 500
    drain_wait_seconds: int = 0

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def is_secure(self) -> bool:
        """Behind TLS: cookies are `__Host-` and Secure."""
        return self.base_url.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.base_url)

    @property
    def has_test_checkout(self) -> bool:
        """The built-in page that plays Stripe's part: never with a key, never in production, never on a
        public address unasked.
        """
        if self.stripe_secret_key or self.is_production:
            return False
        return self.is_loopback or self.allow_test_checkout

    @property
    def origins(self) -> frozenset[str]:
        """The normal forms of the origins that may write and open sockets."""
        return accepted_origins(self.base_url, self.allowed_origins, self.port)

    @property
    def cross_origins(self) -> frozenset[str]:
        """The normal forms of ALLOWED_ORIGINS, which get CORS."""
        return frozenset(map(normal_base, self.allowed_origins))

    @property
    def asks_birth_date(self) -> bool:
        return self.minimum_age_check == "dob"

    @property
    def price_text(self) -> str:
        """For people to read."""
        return amount_text(self.price_cents, self.currency)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Config:
        """Raises `ConfigError` with every fault at once."""
        faults = Faults()
        config = _read(SettingsReader(environment, faults))
        check_together(config, faults)
        if faults:
            raise ConfigError(list(faults), config)
        return config


def is_loopback(base_url: str) -> bool:
    return host_of(normal_base(base_url)) in LOOPBACK_HOSTS


def _read(read: SettingsReader) -> Config:
    port = read.integer("PORT", 8080, 1, 65535)
    base = Config()
    return Config(
        environment=read.choice("ENVIRONMENT", ("development", "production"), base.environment),
        host=read.text("HOST", base.host),
        port=port,
        workers=read.integer("WORKERS", 1, 1, 64),
        base_url=read.base_url("BASE_URL", f"http://localhost:{port}"),
        allowed_origins=read.origins("ALLOWED_ORIGINS"),
        trusted_proxies=read.networks("TRUSTED_PROXIES"),
        data_dir=Path(read.text("DATA_DIR", "data")),
        database_url=read.database_url("DATABASE_URL"),
        redis_url=read.redis_url("REDIS_URL"),
        secret_key=read.secret("SECRET_KEY", least=32),
        stripe_secret_key=read.stripe_key("STRIPE_SECRET_KEY"),
        stripe_webhook_secrets=read.secrets("STRIPE_WEBHOOK_SECRET"),
        stripe_api_base=read.api_base("STRIPE_API_BASE", base.stripe_api_base),
        allow_test_checkout=read.flag("ALLOW_TEST_CHECKOUT"),
        price_cents=read.integer("PRICE_CENTS", base.price_cents, 1, 99_999_999),
        currency=read.choice("CURRENCY", tuple(STRIPE_MINIMUM), base.currency),
        turn_urls=read.turn_urls("TURN_URLS"),
        turn_secret=read.secret("TURN_SECRET", least=16),
        twilio_account_sid=read.account_sid("TWILIO_ACCOUNT_SID"),
        twilio_auth_token=read.secret("TWILIO_AUTH_TOKEN", least=8),
        twilio_api_base=read.api_base("TWILIO_API_BASE", base.twilio_api_base),
        stun_urls=read.stun_urls("STUN_URLS", base.stun_urls),
        smtp_url=read.mail_url("SMTP_URL"),
        mail_from=read.mail_address("MAIL_FROM"),
        relay_only=read.flag("RELAY_ONLY"),
        minimum_age_check=read.choice("MINIMUM_AGE_CHECK", ("confirm", "dob"), base.minimum_age_check),
        terms_file=read.text_file("TERMS_FILE"),
        privacy_file=read.text_file("PRIVACY_FILE"),
        **_read_rules(read, base),
    )


def _read_rules(read: SettingsReader, base: Config) -> dict[str, int]:
    return {
        name: read.integer(name.upper(), getattr(base, name), least, most)
        for name, (least, most) in RULES.items()
    }
