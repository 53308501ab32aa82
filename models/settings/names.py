"""Names in the environment that are almost those of settings: probably typing errors."""

from __future__ import annotations

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


def misspelled(environment: Mapping[str, str]) -> list[str]:
    """`TURN_URL is not a setting. Is TURN_URLS meant?`, unless that one is set as well."""
    found = []
    for name in sorted(environment):
        if name in NAMES or name.upper() in FOREIGN:
            continue
        near = get_close_matches(name.upper().replace("-", "_"), NAMES, n=1, cutoff=NEAR)
        if near and near[0] not in environment and len(name) <= 64:
            found.append(f"{_shown(name)} is not a setting. Is {near[0]} meant?")
    return found


def _shown(name: str) -> str:
    return "".join(
        character if character.isascii() and character.isprintable() else "?" for character in name
    )
