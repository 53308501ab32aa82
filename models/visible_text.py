"""Which characters of a text are visible, by Unicode's own data. The only module that imports `regex`.

Stateless. The Unicode version is that of `regex`, the same on every Python. Standards: UAX 9 (bidirectional
controls), UAX 29 (grapheme clusters), UAX 31 and the core specification, chapter 23.2 (joiners), UTS 51.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import regex

# Letters and symbols without ink: the empty Braille cell, a note without a head, blank Egyptian signs.
_BLANK = r"\u2800\U0001D159\U00013441\U00013442"
# Visible characters. Fillers are letters, but invisible.
VISIBLE = regex.compile(
    rf"[[\p{{L}}\p{{N}}\p{{P}}\p{{S}}]--[\p{{Default_Ignorable_Code_Point}}{_BLANK}]]", regex.V1
)
# Forbidden in any text: not a character, or its meaning depends on another process.
SURROGATE = regex.compile(r"\p{Cs}")
CONTROL = regex.compile(r"[\p{Cc}--[\t\n\r]]", regex.V1)
UNKNOWN = regex.compile(r"[\p{Co}\p{Cn}\uFFFC\uFFFD]")
OVERRIDES = "\u202d\u202e"
OVERRIDE = regex.compile(f"[{OVERRIDES}]")
LINE_BREAK = regex.compile(r"[\p{Zl}\p{Zp}\u000B\u000C\u0085]")
# NARROW NO-BREAK SPACE joins a Mongolian suffix to its word and shapes it; everywhere else it is a space.
SPACES = regex.compile(r"(?:(?!(?<=\p{Mongolian})\u202F\p{Mongolian})\p{White_Space})+")
OPENING, CLOSING = {"\u2066": "\u2069", "\u2067": "\u2069", "\u2068": "\u2069"}, "\u2069"
EMBEDDING, POP = "\u202a\u202b", "\u202c"
_JOINERS = r"[\u200C\u200D]"
_TAGS = r"[\U000E0020-\U000E007F]"
# A letter (and its marks) of a script in which joiners change shapes: cursive, or of the Brahmic family.
_SHAPED = (
    r"[\p{L}&&[\P{InSC=Other}\p{Joining_Type=D}\p{Joining_Type=R}\p{Joining_Type=L}\u0640]]"
    r"[\p{M}--\p{Variation_Selector}]*"
)
# At the end of a word a joiner is visible after a virama (UAX 31, A2 and B), or as an open letter of a
# cursive script.
_SHOWN_JOINER = (
    rf"(?:(?<=\p{{ccc=9}}){_JOINERS}|(?<=[\p{{Joining_Type=D}}\p{{Joining_Type=L}}]\p{{Mn}}*)\u200D)"
)
_UNSEEN = rf"[[\p{{White_Space}}\p{{Cf}}]--{_TAGS}--\p{{Prepended_Concatenation_Mark}}]"
BEGINNING = regex.compile(rf"^{_UNSEEN}+", regex.V1)
END = regex.compile(rf"(?:(?!{_SHOWN_JOINER}){_UNSEEN})+$", regex.V1)
IGNORED = regex.compile(
    rf"[[\p{{Cf}}\p{{Default_Ignorable_Code_Point}}{_BLANK}]--\p{{Prepended_Concatenation_Mark}}]", regex.V1
)
# NFKC_Casefold and UTS 39 remove these: they change nothing that a reader sees.
IGNORABLE = regex.compile(rf"[\p{{Default_Ignorable_Code_Point}}--[{OVERRIDES}]]", regex.V1)
# Where an invisible character has a meaning.
MEANT = regex.compile(
    "|".join(
        [
            r"[\u061C\u200E\u200F\u2066-\u2069\u202A-\u202C]",  # direction (UAX 9); `balanced` pairs them
            rf"(?<={_SHAPED}){_JOINERS}",
            r"(?<=\p{M})\u200D(?=\p{L})",
            r"(?<=\p{ccc=9}\u200D)\u200C(?=\p{L})",  # older Malayalam: a final letter that does not join
            r"(?<=\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]?)\u200D(?=\p{Extended_Pictographic})",
            r"(?<=\U0001F3F4)[\U000E0030-\U000E0039\U000E0061-\U000E007A]{3,6}\U000E007F",  # flags of regions
            # Variation selectors (UTS 51, UTS 37, StandardizedVariants.txt).
            r"(?<=\p{Emoji})[\uFE0E\uFE0F]",
            r"(?<=\p{Ideographic})[\U000E0100-\U000E01EF]",
            r"(?<=\p{Mongolian})[\u180B-\u180D\u180F]",
            r"(?<=[[\p{L}\p{N}\p{P}\p{S}]--[\p{Latin}\p{Greek}\p{Cyrillic}]])[\uFE00-\uFE0D]",
            r"(?<=\p{Egyptian_Hieroglyphs})[\U00013430-\U00013443]",  # joiners and blanks of a quadrat
            r"(?<=\p{Mongolian})\u180E(?=\p{Mongolian})",
            r"(?<=\p{Line_Break=SA})[\u200B\u2060](?=\p{Line_Break=SA})",  # words in scripts without spaces
            r"(?<=[\p{L}\p{M}])\u034F(?=\p{M})",
            r"\u115F(?=[\u1160-\u11A7])|(?<=[\u1100-\u115F])\u1160",  # Korean syllables that lack a part
            r"(?<=\p{Braille})\u2800(?=\p{Braille})",
        ]
    ),
    regex.V1,
)
REPEATED_JOINER = regex.compile(r"([\u200C\u200D])\1+")
# After a space there is nothing to join, and no word needs a mark that breaks or joins it.
AFTER_SPACE = regex.compile(r"(?<= )[\u200B-\u200D\u2060\uFEFF]+")
DIRECTION = regex.compile(r"[\u061C\u200E\u200F\u2066-\u2069\u202A-\u202C]")
CLUSTER = regex.compile(r"\X")
# The marks of one letter, and those of them that UTS 39 counts: in the Brahmic scripts, marks are also
# consonants.
MARKS = regex.compile(
    r"[[\p{M}\p{Cf}\p{Default_Ignorable_Code_Point}]--\p{Prepended_Concatenation_Mark}]+", regex.V1
)
_CONSONANT = (
    r"\p{InSC=Consonant_Subjoined}\p{InSC=Consonant_Medial}\p{InSC=Consonant_Final}"
    r"\p{InSC=Consonant_Succeeding_Repha}\p{InSC=Virama}\p{InSC=Invisible_Stacker}\p{InSC=Pure_Killer}"
)
ACCENT = regex.compile(rf"[[\p{{Mn}}\p{{Me}}]--[{_CONSONANT}]]", regex.V1)
# UTS 39, 5.4 sets the first. Words of 20 languages have at most three, and at most four marks of any kind on
# a letter; a Tibetan monogram has eight. The same mark twice occurs in Tibetan, and as a typing error.
MOST_ACCENTS, MOST_MARKS = 4, 8
REPEATED_MARK = regex.compile(r"(.)\1\1")
WIDTH = regex.compile(r"[\p{Decomposition_Type=Wide}\p{Decomposition_Type=Narrow}]")


class Marks(NamedTuple):
    """Bidirectional controls of a text by position: `partner` maps those in a pair; `single` have none."""

    partner: dict[int, int]
    single: set[int]


def marks_of(text: str) -> Marks:
    """Isolates and embeddings, paired as UAX 9 does (BD9, BD11)."""
    partner: dict[int, int] = {}
    open_at: list[int] = []
    single: set[int] = set()
    for at, letter in enumerate(text):
        if letter in OPENING or letter in EMBEDDING:
            open_at.append(at)
        elif letter in (CLOSING, POP):
            is_pair = bool(open_at) and (text[open_at[-1]] in OPENING) == (letter == CLOSING)
            if is_pair:
                partner |= {at: open_at[-1], open_at.pop(): at}
            else:
                single.add(at)
    return Marks(partner, single | set(open_at))


def without_edges(text: str) -> str:
    """Without spaces and invisible marks at both ends, their partners, and marks without a partner."""
    partner, single = marks_of(text)
    first, last = BEGINNING.search(text), END.search(text)
    edges = set(range(first.end() if first else 0)) | set(
        range(last.start() if last else len(text), len(text))
    )
    gone = edges | single | {partner[at] for at in edges if at in partner}
    return "".join(letter for at, letter in enumerate(text) if at not in gone)


def ordinary_width(text: str) -> str:
    """Full-width and half-width forms as ordinary letters (RFC 8265, the width mapping rule)."""
    return str(WIDTH.sub(lambda letter: unicodedata.normalize("NFKC", letter[0]), text))


def without_unseen(text: str) -> str:
    """Without direction marks, and without invisible characters that have no meaning at their position."""
    # Overrides stay, and are rejected later: they were put there on purpose.
    return without_meaningless(DIRECTION.sub("", text), IGNORED)


def without_meaningless(text: str, kind: regex.Pattern[str] = IGNORABLE) -> str:
    """Without the characters of a kind that have no meaning at their position."""
    meant = {at for found in MEANT.finditer(text) for at in range(*found.span())}
    return "".join(
        letter
        for at, letter in enumerate(text)
        if at in meant or letter in OVERRIDES or not kind.match(letter)
    )


def is_visible(text: str) -> bool:
    """Whether a reader sees anything of the text."""
    return VISIBLE.search(text) is not None


def letters_in(text: str) -> int:
    """The number of letters a reader counts: grapheme clusters, without invisible marks."""
    return sum(1 for cluster in CLUSTER.finditer(text) if is_visible(cluster[0]) or cluster[0] == " ")


def tallest(text: str) -> int:
    """The number of code points in the longest grapheme cluster."""
    return max((len(cluster[0]) for cluster in CLUSTER.finditer(text)), default=0)


def is_piled(text: str) -> bool:
    """Whether some letter has more marks than any script writes."""
    for found in MARKS.finditer(unicodedata.normalize("NFD", text)):
        marks = IGNORED.sub("", found[0])
        if (
            len(marks) > MOST_MARKS
            or len(ACCENT.findall(marks)) > MOST_ACCENTS
            or REPEATED_MARK.search(marks)
        ):
            return True
    return False
