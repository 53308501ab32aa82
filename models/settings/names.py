"""Names in the environment that are almost those of settings: probably typing errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches

from models.settings.config import Config

NEAR = 0.87
# A field with another name, and a name that other programs set.
NAMES = frozenset(
    {"STRIPE_WEBHOOK_SECRET"} | {field.name.upper() for field in fields(Config)} - {"STRIPE_WEBHOOK_SECRETS"}
)
FOREIGN = frozenset({"HOSTS", "PORTS", "HOSTNAME"})
# What other programs call their settings, and people carry over.
ELSEWHERE = {
    **dict.fromkeys(("SITE_URL", "PUBLIC_URL", "EXTERNAL_URL", "ROOT_URL"), "BASE_URL"),
    **dict.fromkeys(("DB_HOST", "DB_URL", "POSTGRES_HOST", "POSTGRES_URL"), "DATABASE_URL"),
    **dict.fromkeys(("REDIS_HOST", "REDIS_SERVER", "VALKEY_URL"), "REDIS_URL"),
    **dict.fromkeys(("SMTP_HOST", "SMTP_SERVER", "MAIL_HOST", "MAIL_SERVER", "EMAIL_HOST"), "SMTP_URL"),
    **dict.fromkeys(("SMTP_FROM", "DEFAULT_FROM_EMAIL"), "MAIL_FROM"),
    **dict.fromkeys(("STRIPE_API_KEY", "STRIPE_KEY", "STRIPE_SECRET"), "STRIPE_SECRET_KEY"),
    **dict.fromkeys(("WEBHOOK_SECRET", "STRIPE_SIGNING_SECRET"), "STRIPE_WEBHOOK_SECRET"),
    **dict.fromkeys(("TURN_SERVER", "TURN_HOST", "TURN_SERVERS"), "TURN_URLS"),
    **dict.fromkeys(
        ("TURN_USERNAME", "TURN_PASSWORD", "TURN_CREDENTIAL", "STATIC_AUTH_SECRET"), "TURN_SECRET"
    ),
    **dict.fromkeys(("STUN_SERVER", "STUN_SERVERS"), "STUN_URLS"),
    **dict.fromkeys(("EXTERNAL_IP", "PUBLIC_ADDRESS"), "PUBLIC_IP"),
    **dict.fromkeys(("TRUSTED_PROXY", "FORWARDED_ALLOW_IPS", "TRUST_PROXY"), "TRUSTED_PROXIES"),
    "CORS_ORIGINS": "ALLOWED_ORIGINS",
}
# Images of other programs read secrets from files named so; some installers put a prefix before each name.
WRAPPED = re.compile(r"\A(?:FILE__|NAPALM_?SKY_|NAPALM_)?(\w+?)(?:_FILE)?\Z")
# Too common to be taken for ours inside of another name: Kubernetes sets NAPALMSKY_PORT.
PLAIN = frozenset({"HOST", "PORT"})


def misspelled(environment: Mapping[str, str]) -> list[str]:
    """`TURN_URL is not a setting. Is TURN_URLS meant?`, unless that one is set as well."""
    found = []
    for name in sorted(environment):
        if name in NAMES or name.upper() in FOREIGN:
            continue
        near = _meant(name.upper().replace("-", "_")) if len(name) <= 64 else None
        if near and near not in environment:
            found.append(f"{_shown(name)} is not a setting. Is {near} meant?{_about_files(name)}")
    return found


def _meant(name: str) -> str | None:
    bare = WRAPPED.sub(r"\1", name)
    if bare != name and bare in NAMES - PLAIN:
        return bare
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    near = get_close_matches(name, NAMES, n=1, cutoff=NEAR)
    near += [known for known in NAMES if _singular(known) == _singular(name)]
    return near[0] if near else None


def _singular(name: str) -> str:
    return re.sub(r"(?:S|Y|IES)\Z", "", name).replace("_", "")


def _about_files(name: str) -> str:
    is_file = name.upper().startswith("FILE__") or name.upper().endswith("_FILE")
    return " Values are not read from files: the container's start command has to." if is_file else ""


def _shown(name: str) -> str:
    return "".join(
        character if character.isascii() and character.isprintable() else "?" for character in name
    )
