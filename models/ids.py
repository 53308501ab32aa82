"""Where ids come from: random UUIDs (version 4, lower case), and 16 characters of Crockford base32 for invite
codes.
"""

from __future__ import annotations

import re
import secrets
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# A UUID (RFC 9562, 5.9) that no person and no thing has.
NO_ID = "00000000-0000-0000-0000-000000000000"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    return str(uuid.uuid4())


def is_id(value: object) -> bool:
    """Any UUID in its canonical lower-case form."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def new_code() -> str:
    return "".join(secrets.choice(CROCKFORD) for _ in range(16))


def as_code(value: str) -> str | None:
    """What a person typed, as a code: case, spaces and hyphens do not matter, O is 0, I and L are 1. None
    when it cannot be one.
    """
    plain = value.upper().translate(str.maketrans("OIL", "011", " -\t\r\n"))
    return plain if len(plain) == 16 and all(letter in CROCKFORD for letter in plain) else None
