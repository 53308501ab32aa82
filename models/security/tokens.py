"""Tokens: their form, and the hash that is stored instead of them."""

from __future__ import annotations

import hashlib

from models.ids import is_id


def is_token(token: str) -> bool:
    """Whether it is a UUID of version 4 in lower case (RFC 9562)."""
    return is_id(token) and token[14] == "4" and token[19] in "89ab"


def hash_of(token: str) -> bytes:
    """SHA-256: tokens and codes have at least 80 random bits, so that no slow hash is needed."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
