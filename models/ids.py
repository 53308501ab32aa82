"""Ids: random UUIDs (version 4, lower case), the references of reports and notices, and invite codes of 16
characters of Crockford base32.
"""

from __future__ import annotations

import re
import secrets
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# A letter for each byte. 256 is a multiple of 32, so each letter is equally likely.
LETTERS = CROCKFORD.encode() * 8
# The nil UUID (RFC 9562, 5.9), which identifies no user and no object.
NO_ID = "00000000-0000-0000-0000-000000000000"
_TAB = re.compile(r"[0-9a-f]{32}|[0-9a-f-]{36}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    return str(uuid.uuid4())


def is_id(value: object) -> bool:
    """True for any UUID in its canonical lower-case form."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def is_tab(value: str) -> bool:
    """True for the id that a client makes for one of its tabs: 32 hexadecimal digits, or a UUID."""
    return _TAB.fullmatch(value) is not None


def report_reference(report_id: str) -> str:
    """As `R-3F2A9C01D4`: short enough for letters and phone calls."""
    return f"R-{_short(report_id)}"


def notice_reference(notice_id: str) -> str:
    """As `N-3F2A9C01D4`."""
    return f"N-{_short(notice_id)}"


def _short(row_id: str) -> str:
    return row_id.replace("-", "")[:10].upper()


def new_code() -> str:
    return secrets.token_bytes(16).translate(LETTERS).decode()


def as_code(value: str) -> str | None:
    """Normalises a typed code: case, spaces and hyphens are ignored, O is read as 0, I and L as 1. None if it
    cannot be a code.
    """
    plain = value.upper().translate(str.maketrans("OIL", "011", " -\t\r\n"))
    return plain if len(plain) == 16 and all(letter in CROCKFORD for letter in plain) else None
