"""E-mail addresses: what is one, and when two are the same.

Promises that an address is judged by its form alone (RFC 5321 lengths, the form that browsers check, letters
of any script), never by asking a mail server. Two spellings are one address when they are equal in lower case
and NFC. What copying brings along is left out: unseen marks, `mailto:`, the dot of the root. The one door to
`idna`, for domains in other scripts.
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
# Dots as IDNA knows them (RFC 3490, 3.1), which keyboards of East Asia write.
DOTS = re.compile("[\u3002\uff0e\uff61]")
MAILTO = re.compile(r"mailto:", re.IGNORECASE)
FAULT = "Write an e-mail address, like name@example.com."
# RFC 5322 "atext" with dots, and any letter or digit of another script (RFC 6531).
_LOCAL = re.compile(r"(?:[\w!#$%&'*+/=?^`{|}~-]+\.)*[\w!#$%&'*+/=?^`{|}~-]+")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class Email(msgspec.Struct, frozen=True):
    """`text` to write to, `key` to compare by."""

    text: str
    key: str


def read(typed: str) -> Email:
    """Raises Invalid (`email`)."""
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
    """The address in what was typed or pasted, in ordinary letters and NFC."""
    if len(typed) > MOST_TYPED:
        raise Invalid(email=FAULT)
    text = without_unseen(ordinary_width(unicodedata.normalize("NFC", typed))).strip()
    return unicodedata.normalize("NFC", MAILTO.sub("", text))


def _ascii(domain: str) -> str:
    """`Müller.DE` -> `xn--mller-kva.de`; empty when it cannot be a domain."""
    try:
        return idna.encode(domain.lower(), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
