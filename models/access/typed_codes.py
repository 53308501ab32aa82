"""Parser of codes in typed or pasted text: a link, a label, a sentence, with any dashes or spaces.

Pure. At most one code is read from a text, so a request is at most one guess. Crockford's base32: case does
not matter, O is read as 0, I and L as 1. Full-width letters, digits of other scripts and invisible characters
are accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote_plus

from models.ids import as_code
from models.visible_text import IGNORED

MOST_TYPED = 4000
# A link inside a link (mail scanners, messengers) is encoded again at each step.
MOST_ENCODINGS = 3
PARAMETER = re.compile(r"invitecode=(?:3d)?([^&#\s\"'<>]+)", re.IGNORECASE)
# Letters of other scripts that are typed as a dash: the Japanese long vowel, the Arabic tatweel.
# The last one is the upper case of i on a Turkish keyboard.
DASHES = str.maketrans("ーـ۔İ", "---I")
SIGN = "[0-9A-TV-Z]"  # codes do not contain U
BETWEEN = r"[\W_]{0,3}"
BEGINNING = re.compile(rf"[\W_]*({SIGN}(?:{BETWEEN}{SIGN}){{15}})(?!\w)")
LABEL = re.compile(r"\bCODE\b(?:\s+IS\b)?|[:=]")
UNBROKEN = re.compile(rf"(?<!\w)({SIGN}{{16}})(?!\w)")
GROUPS = re.compile(rf"(?<!\w)(?=({SIGN}{{4}}(?:[\W_]{{1,3}}{SIGN}{{4}}){{3}})(?!\w))")


def code_in(typed: str) -> str | None:
    """The 16 characters of the code in a text, or None."""
    if len(typed) > MOST_TYPED:
        return None
    return next(_codes(typed), None)


def _codes(typed: str) -> Iterator[str]:
    """Candidates, the most certain first."""
    for text in _decodings(typed):
        for value in PARAMETER.findall(text):
            yield from _at_beginning(_plain(unquote_plus(value)))
    plain = _plain(typed)
    if whole := as_code(re.sub(r"[\W_]", "", plain)):
        yield whole
    for label in reversed(list(LABEL.finditer(plain))):
        yield from _at_beginning(plain[label.end() :])
    yield from _likeliest(UNBROKEN.findall(plain))
    yield from _likeliest(GROUPS.findall(plain))


def _decodings(text: str) -> Iterator[str]:
    for _ in range(MOST_ENCODINGS + 1):
        yield text
        before, text = text, unquote_plus(text)
        if text == before:
            return


def _at_beginning(text: str) -> Iterator[str]:
    if found := BEGINNING.match(text):
        yield from _likeliest([found[1]])


def _likeliest(found: list[str]) -> Iterator[str]:
    """The candidate with the most digits, since words have none; of equals the last."""
    ranked = sorted(enumerate(found), key=lambda one: (sum(map(str.isdigit, one[1])), one[0]))
    if ranked and (code := as_code(re.sub(r"[\W_]", "", ranked[-1][1]))):
        yield code


def _plain(text: str) -> str:
    """Upper case, without invisible characters, ASCII digits, dash-like letters as dashes."""
    shown = IGNORED.sub("", unicodedata.normalize("NFKC", text)).translate(DASHES)
    return "".join(map(_sign, shown)).upper()


def _sign(letter: str) -> str:
    digit = unicodedata.digit(letter, None)
    return letter if digit is None else str(digit)
