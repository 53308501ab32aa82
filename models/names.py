"""What may be a person's name: short, visible, and without effect on the text around it.

Stateless. A name is stored as it was typed: in NFC (UAX 15), with wide and narrow forms as ordinary letters
(RFC 8265), with single spaces, without unseen marks at its ends. It has 1 to 40 letters as a reader counts
them (UAX 29). Joiners and direction marks stay where they have a meaning (`models.visible_text`).
"""

from __future__ import annotations

import unicodedata

import regex

from models import visible_text
from models.errors import Invalid

LONGEST = 40
# A reader's letter may take many code points (a family, a Tibetan stack), but not any number of them.
MOST_IN_LETTER = 16
MOST_CODE_POINTS = LONGEST * MOST_IN_LETTER
# UTS 39, 5.4: more than four nonspacing marks in a row are no text. The Brahmic scripts write vowels and
# subjoined letters as marks, so theirs are bounded by `MOST_IN_LETTER` alone.
TOWER = regex.compile(r"[[\p{Mn}\p{Me}]&&\p{InSC=Other}]{5}", regex.V1)
LONE_MARK = regex.compile(r"(?:^|\s)[\p{Mn}\p{Me}]")
TOO_LONG = f"Use at most {LONGEST} letters; this name has {{}}."
EMPTY = "Write the name people shall see."
UNSEEN = "This name has no letter that can be seen. Write the name people shall see."
TOWERS = "This name has too many accents on one letter."
LONE = "In this name an accent stands without a letter. Type it again."
# What no name may hold, in the order in which it is looked for, and the cause in words.
CAUSES = (
    (visible_text.SURROGATE, "This name holds half a character, as a broken emoji leaves it. Type it again."),
    (
        visible_text.OVERRIDE,
        "This name holds a mark that reverses the text ({}). Type it instead of pasting it.",
    ),
    (visible_text.LINE_BREAK, "Write the name on one line; it holds a line break ({})."),
    (visible_text.CONTROL, "This name holds a control character ({}). Type it instead of pasting it."),
    (visible_text.UNKNOWN, "This name holds a character ({}) that other devices cannot show."),
)
INVISIBLE = "This name holds an invisible character ({}). Type it instead of pasting it."


def clean_name(raw: str) -> str:
    """The name as it is stored and shown. Raises Invalid (`name`) with the cause."""
    if len(raw) > 2 * MOST_CODE_POINTS:
        raise Invalid(name=TOO_LONG.format(f"more than {MOST_CODE_POINTS}"))
    for pattern, cause in CAUSES:
        _refuse(pattern.search(raw), cause)
    name = _tidied(raw)
    if not visible_text.is_visible(name):
        raise Invalid(name=UNSEEN if raw.strip() else EMPTY)
    _check_letters(name)
    rest = visible_text.IGNORED.search(visible_text.MEANT.sub("", name))
    _refuse(rest, INVISIBLE)
    return name


def _check_letters(name: str) -> None:
    if LONE_MARK.search(name):
        raise Invalid(name=LONE)
    if TOWER.search(name) or visible_text.tallest(name) > MOST_IN_LETTER:
        raise Invalid(name=TOWERS)
    count = visible_text.letters_in(name)
    if count > LONGEST or len(name) > MOST_CODE_POINTS:
        raise Invalid(name=TOO_LONG.format(count))


def _tidied(raw: str) -> str:
    """Repeated, because each step can bring together what the others act on."""
    before, name = None, raw
    while name != before:
        before = name
        name = unicodedata.normalize("NFC", visible_text.WIDTH.sub(_ordinary, name))
        name = visible_text.REPEATED_JOINER.sub(r"\1", visible_text.SPACES.sub(" ", name))
        name = visible_text.without_edges(visible_text.AFTER_SPACE.sub("", name))
    return name


def _ordinary(letter: regex.Match[str]) -> str:
    return unicodedata.normalize("NFKC", letter[0])


def _refuse(found: regex.Match[str] | None, cause: str) -> None:
    if found is not None:
        raise Invalid(name=cause.format(f"U+{ord(found[0]):04X}"))
