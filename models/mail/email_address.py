"""E-mail addresses: validation and comparison.

An address is judged by its form alone (RFC 5321 lengths, the form that browsers check, letters of any
script); no mail server is asked. Two spellings are the same address if they are equal in lower case and NFC.
Residue of copying is removed: invisible characters, `mailto:`, the trailing dot of the domain. The only
module that imports `idna`, for domains in other scripts.
"""

from __future__ import annotations

import re
import unicodedata

import idna
import msgspec

from models.errors import Invalid
from models.visible_text import ordinary_width, without_unseen

MOST_CHARACTERS = 254
MOST_LOCAL = 64
MOST_TYPED = 1000
# Dots that IDNA accepts (RFC 3490, 3.1), as East Asian keyboards write them.
DOTS = re.compile("[\u3002\uff0e\uff61]")
MAILTO = re.compile(r"mailto:", re.IGNORECASE)
FAULT = "Write an e-mail address, like name@example.com."
# RFC 5322 "atext" with dots, and any letter or digit of another script (RFC 6531).
_LOCAL = re.compile(r"(?:[\w!#$%&'*+/=?^`{|}~-]+\.)*[\w!#$%&'*+/=?^`{|}~-]+")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class Email(msgspec.Struct, frozen=True):
    """`text` is for sending, `key` for comparing."""

    text: str
    key: str


def read(typed: str) -> Email:
    """Parses an address as typed. Raises: Invalid (`email`)."""
    local, _, domain = _tidied(typed).rpartition("@")
    domain = DOTS.sub(".", domain).removesuffix(".")
    text = f"{local}@{domain}"
    is_short = (
        len(text.encode(errors="replace")) <= MOST_CHARACTERS
        and len(local.encode(errors="replace")) <= MOST_LOCAL
    )
    if not is_short or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(_ascii(domain)):
        raise Invalid(email=FAULT)
    return Email(text=text, key=unicodedata.normalize("NFC", f"{local.lower()}@{_ascii(domain)}"))


def _tidied(typed: str) -> str:
    """The typed or pasted address in ordinary letters and NFC."""
    if len(typed) > MOST_TYPED:
        raise Invalid(email=FAULT)
    text = without_unseen(ordinary_width(unicodedata.normalize("NFC", typed))).strip()
    return unicodedata.normalize("NFC", MAILTO.sub("", text))


def _ascii(domain: str) -> str:
    """`Müller.DE` -> `xn--mller-kva.de`; empty if it cannot be a domain."""
    try:
        return idna.encode(domain.lower(), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
