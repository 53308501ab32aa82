"""Parser of codes in typed or pasted text: a link, a label, a sentence, with any dashes or spaces.

Pure; the time is linear in the length of the text. At most one code is read from a text, so a request is at
most one guess. Crockford's base32: case does not matter, O is read as 0, I and L as 1. Full-width letters,
digits of other scripts and invisible characters are accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_plus

from models.ids import as_code
from models.visible_text import IGNORED

# Also after normalisation: NFKC makes up to 18 characters of one.
MOST_TYPED = 1000
# A link inside a link (mail scanners, messengers) is encoded again at each step.
MOST_ENCODINGS = 3
MOST_VALUE = 200
PARAMETER = re.compile(r"invitecode=(?:3d)?([^&#\s\"'<>]+)", re.IGNORECASE)
# Letters of other scripts that are typed as a dash: the Japanese long vowel, the Arabic tatweel.
# The last one is the upper case of i on a Turkish keyboard.
DASHES = str.maketrans("ーـ۔İ", "---I")
SIGN = "[0-9A-TV-Z]"  # codes do not contain U
BETWEEN = r"[\W_]{0,3}"
BEGINNING = re.compile(rf"[\W_]{{0,40}}+({SIGN}(?:{BETWEEN}{SIGN}){{15}})(?!\w)", re.IGNORECASE)
LABEL = re.compile(r"\bCODE\b(?:\s+IS\b)?|[:=]", re.IGNORECASE)
UNBROKEN = re.compile(rf"(?<!\w)({SIGN}{{16}})(?!\w)", re.IGNORECASE)
GROUPS = re.compile(rf"(?<!\w)(?=({SIGN}{{4}}(?:[\W_]{{1,3}}{SIGN}{{4}}){{3}})(?!\w))", re.IGNORECASE)


def code_in(typed: str) -> str | None:
    """The 16 characters of the code in a text, or None."""
    if len(typed) > MOST_TYPED:
        return None
    return next(_codes(typed), None)


def _codes(typed: str) -> Iterator[str]:
    """Candidates, the most certain first."""
    for text in _decodings(typed):
        for value in PARAMETER.findall(text):
            yield from _at(0, _plain(unquote_plus(value)[:MOST_VALUE]))
    plain = _plain(typed)
    if whole := as_code(re.sub(r"[\W_]", "", plain)):
        yield whole
    for label in reversed(list(LABEL.finditer(plain))):
        yield from _at(label.end(), plain)
    yield from _likeliest(UNBROKEN.findall(plain))
    yield from _likeliest(GROUPS.findall(plain))


def _decodings(text: str) -> Iterator[str]:
    for _ in range(MOST_ENCODINGS + 1):
        yield text
        before, text = text, unquote_plus(text)
        if text == before:
            return


def _at(start: int, text: str) -> Iterator[str]:
    if found := BEGINNING.match(text, start):
        yield from _likeliest([found[1]])


def _likeliest(found: list[str]) -> Iterator[str]:
    """The most regular candidate, of several the first."""
    if found and (code := as_code(re.sub(r"[\W_]", "", max(found, key=_regularity)))):
        yield code


def _regularity(candidate: str) -> tuple[bool, bool, bool, int, bool]:
    """Groups of a code have the same dash, or are on one line and in one case; words have no digits."""
    digits = sum(map(str.isdigit, candidate))
    separators = set(re.findall(r"[\W_]+", candidate))
    is_even = len(separators) <= 1 and len(candidate.splitlines()) == 1
    is_dashed = is_even and not "".join(separators).isspace()
    return is_dashed, digits > 0, is_even, digits, candidate in (candidate.upper(), candidate.lower())


def _plain(text: str) -> str:
    """Without invisible characters, ASCII digits, dash-like letters as dashes. Empty if that is too long."""
    shown = IGNORED.sub("", unicodedata.normalize("NFKC", text)).translate(DASHES)
    return "".join(map(_sign, shown)) if len(shown) <= MOST_TYPED else ""


def _sign(letter: str) -> str:
    digit = unicodedata.digit(letter, None)
    return letter if digit is None else str(digit)
