"""The settings of a process, as a frozen record. Secrets never appear in its `repr`.

docs/operations.md lists every setting; a test compares the two. `models.settings.environment` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from models.currencies import amount_text
from models.settings.networks import IpNetwork
from models.settings.urls import LOOPBACK_NAMES
from models.settings.web_origins import LOOPBACK_HOSTS, accepted_origins, host_of, normal_base

# Beside the program: a command in another directory finds the same data.
DATA = Path(__file__).resolve().parents[2] / "data"


class ConfigError(Exception):
    """All faults of the environment, one line each. `config` has defaults for the invalid settings."""

    def __init__(self, faults: list[str], config: Config) -> None:
        self.faults, self.config = faults, config
        super().__init__("\n".join(faults))


@dataclass(frozen=True, slots=True)
class Config:
    environment: str = "development"
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    log_format: str = "json"
    base_url: str = "http://localhost:8080"
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[IpNetwork, ...] = ()
    tls: str = "off"
    acme_directory: str | None = None
    http_port: int = 80
    https_port: int = 443
    data_dir: Path = DATA
    database_url: str | None = field(default=None, repr=False)
    redis_url: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    secret_key_previous: tuple[str, ...] = field(default=(), repr=False)
    operator_name: str | None = None
    # An e-mail address, or an address for letters.
    operator_contact: str | None = None
    stripe_secret_key: str | None = field(default=None, repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    stripe_api_base: str = "https://api.stripe.com"
    allow_test_checkout: bool = False
    allow_demo: bool = False
    price_cents: int = 1
    currency: str = "usd"
    # Which payment methods Stripe offers: those that are settled at once, or all.
    payment_methods: str = "immediate"
    statement_suffix: str | None = None
    stripe_tax: bool = False
    consumer_law: str = "none"
    # On receipts; without a name, that of the operator.
    seller_name: str | None = None
    seller_address: str | None = None
    seller_tax_id: str | None = None
    # The tax that the price includes, where Stripe Tax does not compute it.
    seller_tax_percent: Decimal | None = None
    turn: str = "off"
    public_ip: str | None = None
    turn_port: int = 3478
    turn_tls_port: int = 5349
    turn_min_port: int = 49152
    turn_max_port: int = 49251
    turn_urls: tuple[str, ...] = ()
    turn_secret: str | None = field(default=None, repr=False)
    twilio_account_sid: str | None = field(default=None, repr=False)
    twilio_auth_token: str | None = field(default=None, repr=False)
    twilio_api_base: str = "https://api.twilio.com"
    stun_urls: tuple[str, ...] = ()
    relay_only: bool = False
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    # Where the staff are alerted.
    alert_email: str | None = None
    alert_webhook_url: str | None = field(default=None, repr=False)
    alert_webhook_secret: str | None = field(default=None, repr=False)
    # What a re-upload of a removed picture does: refuse, flag, off.
    reuploads: str = "refuse"
    hash_match_url: str | None = field(default=None, repr=False)
    hash_match_secret: str | None = field(default=None, repr=False)
    hash_match_action: str = "flag"
    minimum_age_check: str = "confirm"
    age_provider_url: str | None = None
    age_client_id: str | None = None
    age_client_secret: str | None = field(default=None, repr=False)
    age_scope: str = "openid"
    age_refusal_hours: int = 24
    backup_dir: Path | None = None
    backup_key: str | None = field(default=None, repr=False)
    backup_hours: int = 24
    backup_keep_days: int = 14
    # OpenSSL's own variable: child processes need it too.
    ssl_cert_file: Path | None = None
    terms_file: Path | None = None
    privacy_file: Path | None = None
    terms_version: str | None = None
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
    export_report_texts: bool = False
    refunds_per_year: int = 3
    notices_per_hour: int = 5
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
    database_pool_size: int = 10
    drain_wait_seconds: int = 0
    probe_minutes: int = 0

    @property
    def database_connections(self) -> int:
        """The most connections to PostgreSQL that all processes of this machine open."""
        return self.workers * self.database_pool_size

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def is_secure(self) -> bool:
        """Served over TLS: cookies are `__Host-` and Secure."""
        return self.base_url.startswith("https://")

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.base_url)

    @property
    def is_host_loopback(self) -> bool:
        """Whether the site listens only for programs on this machine."""
        return self.host in LOOPBACK_NAMES

    @property
    def has_test_checkout(self) -> bool:
        """Whether the built-in page replaces Stripe: never with a key, never in production, and on a public
        address only if set explicitly.
        """
        if self.stripe_secret_key or self.is_production:
            return False
        return self.is_loopback or self.allow_test_checkout

    @property
    def origins(self) -> frozenset[str]:
        """The normal forms of the origins that may send writes and open sockets."""
        return accepted_origins(self.base_url, self.allowed_origins, self.port)

    @property
    def cross_origins(self) -> frozenset[str]:
        """The normal forms of ALLOWED_ORIGINS, which get CORS."""
        return frozenset(map(normal_base, self.allowed_origins))

    @property
    def asks_birth_date(self) -> bool:
        return self.minimum_age_check == "dob"

    @property
    def asks_age_proof(self) -> bool:
        return self.minimum_age_check == "provider"

    @property
    def seller_lines(self) -> list[str]:
        """Name, address and tax number of the seller, as far as they are set."""
        tax_id = f"Tax number: {self.seller_tax_id}" if self.seller_tax_id else None
        lines = (self.seller_name or self.operator_name, self.seller_address, tax_id)
        return [line for line in lines if line]

    @property
    def price_text(self) -> str:
        """The price, formatted for users."""
        return amount_text(self.price_cents, self.currency)


def is_loopback(base_url: str) -> bool:
    return host_of(normal_base(base_url)) in LOOPBACK_HOSTS
