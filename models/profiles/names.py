"""Validation of names: short, visible, and without effect on the text around them.

Stateless. A name is stored as it was typed: in NFC (UAX 15), with wide and narrow forms as ordinary letters
(RFC 8265), with single spaces. It has 1 to 40 letters as readers count them (UAX 29). Joiners, direction
marks and variation selectors stay where they have a meaning (`models.visible_text`); other characters that
Unicode calls default-ignorable, such as a soft hyphen, are dropped.
"""

from __future__ import annotations

import unicodedata

import regex

from models import visible_text
from models.errors import Invalid

LONGEST = 40
# What a reader sees as one letter may take many code points (a family emoji, a Tibetan stack); this limits
# it.
MOST_IN_LETTER = 16
MOST_CODE_POINTS = LONGEST * MOST_IN_LETTER
LONE_MARK = regex.compile(r"(?:^|[\s\u061C\u200E\u200F\u2066-\u2069\u202A-\u202C])[\p{Mn}\p{Me}]")
# A paste may end in any of these; inside a name they are refused or become a space.
LINE_ENDS = " \t\n\v\f\r\x85\u2028\u2029"
EMPTY = "Write the {} that people will see."
UNSEEN = "This {} has no visible letter."
TOO_LONG = "Use at most {} letters; this {} has {}."
TOWERS = "This {} has too many accents on one letter."
LONE = "This {} has an accent without a letter. Type it again."
INVISIBLE = "This {} contains an invisible character ({}). Type it instead of pasting it."
# Forbidden characters in the order of the checks, with the message.
CAUSES = (
    (visible_text.SURROGATE, "This {} contains half a character, perhaps of a broken emoji. Type it again."),
    (
        visible_text.OVERRIDE,
        "This {} contains a mark that reverses text ({}). Type it instead of pasting it.",
    ),
    (visible_text.LINE_BREAK, "Write the {} on one line; it contains a line break ({})."),
    (visible_text.CONTROL, "This {} contains a control character ({}). Type it instead of pasting it."),
    (visible_text.UNKNOWN, "This {} contains a character ({}) that other devices cannot show."),
)


def clean_name(raw: str) -> str:
    """The name as it is stored and shown. Raises Invalid (`name`) with the cause."""
    return _clean(raw, "name", LONGEST)


def clean_line(raw: str, field: str, longest: int) -> str:
    """As `clean_name` for other single lines, such as a label. Raises: Invalid (`field`) with the cause."""
    if len(raw.strip().splitlines()) > 1:
        raise Invalid(**{field: f"Write the {field} on one line."})
    return _clean(raw, field, longest)


def _clean(raw: str, field: str, longest: int) -> str:
    if fault := _fault(raw, field, longest):
        raise Invalid(**{field: fault})
    return tidied(raw)


def _fault(raw: str, what: str, longest: int) -> str | None:
    if len(raw) > 2 * longest * MOST_IN_LETTER:
        return TOO_LONG.format(longest, what, f"{len(raw)} characters")
    for pattern, cause in CAUSES:
        if found := pattern.search(raw.strip(LINE_ENDS)):
            return cause.format(what, _code_of(found))
    line = tidied(raw)
    if not visible_text.is_visible(line):
        return (UNSEEN if raw.strip() else EMPTY).format(what)
    return _fault_of_letters(line, what, longest)


def _fault_of_letters(line: str, what: str, longest: int) -> str | None:
    if LONE_MARK.search(line):
        return LONE.format(what)
    if visible_text.is_piled(line) or visible_text.tallest(line) > MOST_IN_LETTER:
        return TOWERS.format(what)
    count = visible_text.letters_in(line)
    if count > longest or len(line) > longest * MOST_IN_LETTER:
        return TOO_LONG.format(longest, what, count)
    if found := visible_text.IGNORED.search(visible_text.MEANT.sub("", line)):
        return INVISIBLE.format(what, _code_of(found))
    return None


def tidied(raw: str) -> str:
    """The text in its stored form. The steps are repeated, because each can create work for the others."""
    before, line = None, raw
    while line != before:
        before = line
        line = unicodedata.normalize("NFC", visible_text.ordinary_width(line))
        line = visible_text.REPEATED_JOINER.sub(r"\1", visible_text.SPACES.sub(" ", line))
        line = visible_text.without_meaningless(visible_text.AFTER_SPACE.sub("", line))
        line = visible_text.without_edges(line)
    return line


def _code_of(found: regex.Match[str]) -> str:
    return f"U+{ord(found[0]):04X}"
