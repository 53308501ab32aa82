"""The range of every setting that is a number, and how one is read."""

from __future__ import annotations

import re

from models.settings.urls import Unusable

# setting -> (minimum, maximum); the default is in the dataclass.
RULES = {
    "guest_days": (1, 365), "account_days": (1, 365), "member_days": (1, 3650), "code_uses": (1, 1000),
    "code_after_calls": (1, 1000),
    "call_min_seconds": (60, 1800), "call_max_seconds": (60, 1800), "call_default_seconds": (60, 1800),
    "ring_seconds": (5, 120), "ring_extends": (0, 10), "connect_seconds": (5, 300),
    "reconnect_seconds": (5, 300),
    "pause_seconds": (0, 600), "success_seconds": (1, 1800), "cooldown_connected_seconds": (0, 2_592_000),
    "cooldown_declined_seconds": (0, 2_592_000), "cooldown_missed_seconds": (0, 2_592_000),
    "guests_per_hour": (1, 1_000_000), "unknown_codes_per_hour": (1, 1_000_000),
    "api_per_minute": (1, 1_000_000), "bcrypt_cost": (4, 15), "sign_in_failures": (1, 1_000_000),
    "sign_in_failures_per_address": (1, 1_000_000), "sign_in_minutes": (1, 1440),
    "recovery_link_minutes": (5, 1440), "staff_session_hours": (1, 168), "staff_idle_minutes": (1, 1440),
    "reports_per_day": (1, 1_000_000), "exports_per_hour": (1, 1_000_000), "notices_per_hour": (1, 1_000_000),
    "age_refusal_hours": (0, 720),
    "refunds_per_year": (0, 1000), "ban_reporters": (1, 100), "address_ban_hours": (1, 720),
    "address_days": (1, 90), "contacts_hours": (0, 720), "chat_days": (1, 3650), "report_days": (1, 3650),
    "invite_days": (1, 365), "event_days": (1, 3650), "guest_unused_days": (1, 3650),
    "ended_session_days": (1, 365), "introduction_days": (1, 90),
    "http_port": (1, 65535), "https_port": (1, 65535), "turn_port": (1, 65535), "turn_tls_port": (1, 65535),
    "turn_min_port": (1024, 65535), "turn_max_port": (1024, 65535),
    "turn_per_hour": (1, 1_000_000), "turn_checks_per_hour": (1, 1_000_000),
    "turn_check_seconds": (10, 600), "turn_ttl_seconds": (60, 86_400),
    "invite_messages_per_second": (1, 1_000_000),
    "relay_messages_per_second": (1, 1_000_000),
    "chat_messages_per_second": (1, 1000), "chat_messages_per_call": (1, 10_000),
    "sockets_per_person": (1, 1_000_000), "sockets_per_address": (1, 1_000_000),
    "probe_minutes": (0, 1440), "drain_wait_seconds": (0, 10), "database_pool_size": (2, 100),
    "backup_hours": (1, 720), "backup_keep_days": (1, 3650),
}  # fmt: skip


def whole_number(text: str, least: int, most: int) -> int:
    """Raises: ValueError."""
    if text.startswith("tcp://"):
        raise Unusable(
            "must be a number. Kubernetes sets it for a service of that name: set it yourself, rename the "
            "service, or set enableServiceLinks to false"
        )
    if not re.fullmatch(r"[0-9]{1,20}", text) or not least <= int(text) <= most:
        raise ValueError
    return int(text)
