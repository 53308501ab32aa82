"""What may be a person's name: short, visible, and unable to disturb the text around it.

Keeps nothing. Promises a name in NFKC (Unicode Standard Annex 15), trimmed, with single spaces inside, of 1
to 40 characters that every browser can show. Refuses control characters, bidirectional overrides and isolates
(UAX 9), private and unassigned characters, names that nobody can see, and towers of accents. Joiners pass
only where they join: between parts of an emoji, or between letters of the scripts that need them.
"""

from __future__ import annotations

import re
import unicodedata

from models.errors import Invalid

LONGEST = 40
TALLEST = 4  # combining marks on one letter; no living language stacks more
SPACES = re.compile("[ \t\r\n\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
ZWNJ, ZWJ = "\u200c", "\u200d"
# Letters and symbols by category that show nothing: Hangul fillers, Khmer inherent vowels, the empty
# Braille cell.
BLANK = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2800\u034f")
# The first letter of the scripts in which joiners change how a word is written (Arabic, then those of India
# and its neighbours).
JOINING = 0x0600


def clean_name(raw: str) -> str:
    """The name as it is kept and shown. Raises Invalid for the field `name`."""
    name = SPACES.sub(" ", unicodedata.normalize("NFKC", raw[:1000])).strip(" ")
    if not name or not any(_is_visible(letter) for letter in name):
        raise Invalid(name="Write the name people shall see.")
    if len(name) > LONGEST:
        raise Invalid(name=f"Use at most {LONGEST} characters.")
    if not all(_may_stand(name, place) for place in range(len(name))) or _has_tower(name):
        raise Invalid(name="Use letters, digits and signs that everyone can see.")
    return name


def _is_visible(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNPS" and letter not in BLANK


def _may_stand(name: str, place: int) -> bool:
    letter = name[place]
    if letter in (ZWNJ, ZWJ):
        return _joins(name[place - 1 : place], name[place + 1 : place + 2], letter)
    return letter == " " or (unicodedata.category(letter)[0] in "LMNPS" and letter not in BLANK)


def _joins(before: str, after: str, joiner: str) -> bool:
    if not before or not after:
        return False
    if joiner == ZWJ and _is_emoji(before) and unicodedata.category(after) == "So":
        return True
    return all(ord(side) >= JOINING and unicodedata.category(side)[0] in "LM" for side in (before, after))


def _is_emoji(letter: str) -> bool:
    """An emoji, or what may follow one: the emoji variation selector, a skin tone."""
    return letter == "\ufe0f" or unicodedata.category(letter) in ("So", "Sk")


def _has_tower(name: str) -> bool:
    height = 0
    for letter in name:
        height = height + 1 if unicodedata.category(letter)[0] == "M" else 0
        if height > TALLEST:
            return True
    return False
