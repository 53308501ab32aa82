"""Parser of codes in typed or pasted text: a link, a label, a sentence, with any dashes or spaces.

Pure; the time is linear in the length of the text. At most one code is read from a text, so a request is at
most one guess. Crockford's base32: case does not matter, O is read as 0, I and L as 1. Full-width letters,
digits of other scripts, Cyrillic and Greek look-alikes and invisible characters are accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import chain
from urllib.parse import unquote_plus

from models.ids import as_code
from models.visible_text import IGNORED

# Also after normalisation: NFKC makes up to 18 characters of one. The form's field is as long.
MOST_TYPED = 4000
# A link inside a link (mail scanners, messengers) is encoded again at each step.
MOST_ENCODINGS = 5
MOST_VALUE = 200
# "=" is also written as "=3D" in quoted-printable, "-3D" by Proofpoint's scanner, "\u003d" in scripts.
EQUALS = r"(?:=|-3d|\\u003d)(?:3d)?"
PARAMETER = re.compile(rf"invitecode{EQUALS}([^&#\s\"'<>]+)", re.IGNORECASE)
SOFT_BREAK = re.compile(r"=\r?\n")
PROOFPOINT = re.compile(r"-([0-9A-F]{2})")
# Letters of other scripts that are typed as a dash: the Japanese long vowel, the Arabic tatweel.
# The last one is the upper case of i on a Turkish keyboard.
DASHES = str.maketrans("ーـ۔İ", "---I")
# Cyrillic and Greek letters that look like those of a code.
LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТХЅЈІаеорсхѕјіΑΒΕΖΗΙΚΜΝΟΡΤΧ",
    "ABEKMHOPCTXSJIAEOPCXSJIABEZHIKMNOPTX",
)
SIGN = "[0-9A-TV-Z]"  # codes do not contain U
BETWEEN = r"[\W_]{0,3}"
# A code may stand directly after or before a letter of a script without spaces, but not inside a word.
START, STOP = r"(?<![0-9A-Za-zª-ɏ])", r"(?![0-9A-Za-zª-ɏ])"
BEGINNING = re.compile(rf"[\W_]{{0,40}}+({SIGN}(?:{BETWEEN}{SIGN}){{15}}){STOP}", re.IGNORECASE)
LABEL = re.compile(r"\bCODE\b(?:\s+IS\b)?|[:=]", re.IGNORECASE)
FOURS = rf"{SIGN}{{4}}(?:[\W_]{{1,3}}{SIGN}{{4}}){{3}}"
GLUED = re.compile(rf"CODE({SIGN}{{16}}|{SIGN}{{8}}[\W_]{SIGN}{{8}}|{FOURS}){STOP}", re.IGNORECASE)
UNBROKEN = re.compile(rf"{START}({SIGN}{{16}}){STOP}", re.IGNORECASE)
GROUPS = re.compile(rf"{START}(?=({FOURS}){STOP})", re.IGNORECASE)


def _groups_of(size: int) -> re.Pattern[str]:
    """Equal groups; the last one may be shorter."""
    whole, rest = divmod(16, size)
    end = rf"\2{SIGN}{{{rest}}}" if rest else ""
    count = whole - 2
    one = rf"{SIGN}{{{size}}}"
    return re.compile(
        rf"{START}(?=({one}([\W_]{{1,3}}){one}(?:\2{one}){{{count}}}{end}){STOP})", re.IGNORECASE
    )


OTHER_GROUPS = [_groups_of(size) for size in (8, 5, 2, 3, 6, 7, 1)]


def code_in(typed: str) -> str | None:
    """The 16 characters of the code in a text, or None."""
    if len(typed) > MOST_TYPED:
        return None
    plain = _plain(typed)
    latin = plain.translate(LOOK_ALIKES)
    return next(chain(_in_links(typed), _codes(plain), _codes(latin) if latin != plain else ()), None)


def _in_links(typed: str) -> Iterator[str]:
    for text in _decodings(SOFT_BREAK.sub("", typed)):
        for value in PARAMETER.findall(text):
            yield from _at(0, _plain(unquote_plus(value)[:MOST_VALUE]))


def _codes(plain: str) -> Iterator[str]:
    """Candidates, the most certain first."""
    if whole := as_code(re.sub(r"[\W_]", "", plain)):
        yield whole
    for label in reversed(list(LABEL.finditer(plain))):
        yield from _at(label.end(), plain)
    yield from _likeliest(GLUED.findall(plain))
    yield from _likeliest(UNBROKEN.findall(plain))
    yield from _likeliest(GROUPS.findall(plain))
    for pattern in OTHER_GROUPS:
        yield from _likeliest([found[0] for found in pattern.findall(plain) if _is_no_prose(*found)])


def _decodings(text: str) -> Iterator[str]:
    for _ in range(MOST_ENCODINGS + 1):
        yield text
        if "urldefense" in text:
            yield unquote_plus(PROOFPOINT.sub(r"%\1", text))
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


def _is_no_prose(candidate: str, separator: str) -> bool:
    """Two words of eight letters are no code; 1 code in 400 has no digit."""
    return not separator.isspace() or any(map(str.isdigit, candidate))


def _plain(text: str) -> str:
    """Without invisible characters, ASCII digits, dash-like letters as dashes. Empty if that is too long."""
    shown = IGNORED.sub("", unicodedata.normalize("NFKC", text)).translate(DASHES)
    return "".join(map(_sign, shown)) if len(shown) <= MOST_TYPED else ""


def _sign(letter: str) -> str:
    digit = unicodedata.digit(letter, None)
    return letter if digit is None else str(digit)
