"""The terms in force: the operator's own text (TERMS_FILE), or ours with the values of the settings.

A version is what members accept: TERMS_VERSION, or else a part of the SHA-256 of the text. Ours is hashed
without the values, so that a new price asks no member again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from models.settings.config import Config

OURS = Path(__file__).resolve().parents[2] / "templates" / "public" / "terms" / "terms.md"
DIGITS = 12
HOUR = 3600


class Terms(NamedTuple):
    version: str
    # Markdown.
    text: str

    @property
    def text_hash(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()


def terms_in_force(config: Config) -> Terms:
    """Raises: OSError, UnicodeDecodeError, although the settings have checked the file."""
    # Some editors put a byte order mark at the start of a file: it is not part of the first heading.
    written = (config.terms_file or OURS).read_text(encoding="utf-8").removeprefix("\ufeff")
    version = config.terms_version or hashlib.sha256(written.encode()).hexdigest()[:DIGITS]
    return Terms(version, written if config.terms_file else _filled_in(written, config))


def _filled_in(written: str, config: Config) -> str:
    return written.format(
        site="Napalm Sky",
        price=config.price_text,
        shortest=f"{config.call_min_seconds / 60:.3g}",
        longest=f"{config.call_max_seconds / 60:.3g}",
        cooldown=f"{config.cooldown_connected_seconds / HOUR:.3g}",
    )
