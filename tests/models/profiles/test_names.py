"""Names: what is stored as typed, what is cleaned, and what is refused with which cause."""

from __future__ import annotations

import contextlib
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Invalid
from models.profiles.names import LONGEST, MOST_CODE_POINTS, clean_name

FAMILY = "👨\u200d👩\u200d👧"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

# A mark of each script, which is not piled up on a letter.
TOWERS = [
    ("a", "\u0334"), ("a", "\u20dd"), ("ш", "\u0483"), ("ש", "\u05b8"), ("ا", "\u064e"), ("ܐ", "\u0730"),
    ("ހ", "\u07a6"), ("क", "\u0941"), ("क", "\u093e"), ("क", "\u094d"), ("ক", "\u09c1"), ("ਕ", "\u0a41"),
    ("ક", "\u0ac1"), ("କ", "\u0b41"), ("க", "\u0bc0"), ("క", "\u0c3f"), ("ಕ", "\u0cbf"), ("ക", "\u0d41"),
    ("ක", "\u0dd2"), ("ก", "\u0e49"), ("ກ", "\u0ec9"), ("ཀ", "\u0f74"), ("ཀ", "\u0f90"), ("က", "\u1036"),
    ("ក", "\u17c6"), ("ᠠ", "\u18a9"), ("ᨠ", "\u1a75"), ("ᬓ", "\u1b38"), ("ꦏ", "\ua9b8"), ("ᤁ", "\u1920"),
]  # fmt: skip
AS_TYPED = {
    "Latin": "Ann",
    "markup is text": "<b>Ann</b>",
    "a template is text": "{{7*7}}",
    "apostrophe, hyphen, dot, digit": "O’Neil-Smith 3.",
    "Hawaiian okina": "ʻIolani",
    "Catalan dot": "Gal·la",
    "Han": "李小龙",
    "Han with an ideographic variation": "渡邊\U000e0104",
    "Hangul": "김민준",
    "Hangul letters by themselves": "ㅋㅋㅋ",
    "Arabic": "نگار",
    "Arabic with vowels": "مُحَمَّد",
    "Persian half-space": "علی\u200cرضا",
    "Persian half-space after a letter that joins to one side": "امیر\u200cعلی",
    "Persian half-space before a space": "علی\u200c رضا",
    "Arabic open letter": "ه\u200d",
    "Malayalam, final ZWJ": "രമേശന\u0d4d\u200d",
    "Malayalam, final ZWNJ": "രമേശന\u0d4d\u200c",
    "Malayalam, ZWJ and ZWNJ": "പൊന്\u200d\u200cവീണ",
    "Sinhala": "ශ\u0dca\u200dර\u0dd3",
    "Devanagari half form": "क\u094d\u200dष",
    "Bengali ya-phala": "র\u200d\u09cdযাচেল",
    "Kannada": "ಆರ\u0ccd\u200cಯ",
    "Khmer with a word break": "ខ្មែរ\u200bសុខ",
    "Khmer, three marks": "ប៉ុំ",
    "Khmer subjoined letters": "ស្ត្រី",
    "Myanmar, four marks in a row": "မြှို့",
    "Thai SARA AM is one letter": "อำพล",
    "Thai, vowel and tone": "ที่รัก",
    "Thai, a tone typed twice": "ก่่อ",
    "Lao, vowel and tone": "ຊື່ນ້ຳ",
    "Tibetan": "བསྟན་འཛིན",
    "Tibetan stack": "ཧཱུྃ",
    "Tibetan monogram of eight marks": "ཧྐྵྨླྺྼྻྂ",
    "Tai Tham": "ᨣᩮᩬᩥ᩶",
    "Balinese": "ᬑᬁ",
    "Hebrew with points": "שָׁלוֹם",
    "Hebrew letter with four points": "ש\u05b8\u05bc\u05bd\u05c1",
    "Lithuanian, three accents": "R\u012f\u0307\u0301ta",
    "Korean syllable without its first letter": "\u115fᅡ",
    "Egyptian quadrat": "𓊪\U00013430𓏏",
    "Arabic tatweel": "محـــمد",
    "Mongolian variant": "ᠭ\u180bᠠ",
    "Hebrew inside Latin, isolated": "Anna \u2067נועה\u2069 K",
    "a direction mark inside": "Anna \u200e(נועה) K",
    "Mongolian suffix": "ᠮᠣᠩᠭᠣᠯ\u202fᠤᠨ",
    "Vietnamese": "Nguyễn Thị Ngọc",
    "family": f"{FAMILY} Kim",
    "skin tone and profession": "👩🏽\u200d🚀 Ann",
    "emoji presentation at the end": "Ann ❤\ufe0f",
    "rainbow flag": "🏳\ufe0f\u200d🌈",
    "kiss, the longest sequence": "🧑🏽\u200d❤\ufe0f\u200d💋\u200d🧑🏿",
    "flag of a country": "Ann 🇩🇪",
    "flag of a region": ENGLAND,
    "keycap": "1\ufe0f⃣",
    "trade mark sign": "Ann™",
    "forty letters": "ж" * LONGEST,
    "forty families": FAMILY * LONGEST,
    "forty syllables": "क्षि" * LONGEST,
}
TIDIED = {
    "  Ann \t\n Lee ": "Ann Lee",
    "Ann\u00a0Lee": "Ann Lee",
    "Ann\u202fLee": "Ann Lee",
    "李\u3000小龙": "李 小龙",
    "Ａｎｎ": "Ann",
    "ｶﾞｸ": "ガク",
    "e\u0301va": "éva",
    "o\u2066\u0301": "ó",
    "\u2068Anna\u2069": "Anna",
    "\u2068Anna\u2069 \u2068Kim\u2069": "Anna Kim",
    "\u2067\u2068Anna\u2069\u2069": "Anna",
    "\u202aAnna\u202c": "Anna",
    "An\u2066na": "Anna",
    "An\u2069na": "Anna",
    "נועה\u200f": "נועה",
    "\u200fנועה": "נועה",
    "\u061cنگار\u061c": "نگار",
    "\ufeffAnn\u200b": "Ann",
    "Ann\u200d": "Ann",
    "علی\u200c": "علی",
    "علی \u200cرضا": "علی رضا",
    "علی\u200c\u200cرضا": "علی\u200cرضا",
    "Ann\u2028": "Ann",
    "\x0bAnn\x85\x0c": "Ann",
    "A\u1680B\u2003C\u205fD": "A B C D",
    "An\u00adna": "Anna",
    "An\u200bna": "Anna",
    "An\u200cna": "Anna",
    "An\u200dna": "Anna",
    "An\u2060na": "Anna",
    "An\u2063na": "Anna",
    "An\u206ana": "Anna",
    "An\ufeffna": "Anna",
    "An\u034fna": "Anna",
    "An\u180ena": "Anna",
    "An\u3164na": "Anna",
    "Ann\u115f": "Ann",
    "Ann\ufe0e": "Ann",
    "A\ufe0f\ufe0fnn": "Ann",
    "A\U000e0100nn": "Ann",
    "渡\U000e0104\U000e0104邊": "渡\U000e0104邊",
    "❤\ufe0f\ufe0f": "❤\ufe0f",
    "Ann\U000e0041": "Ann",
    "🏴\U000e0067\U000e007f": "🏴",
    "👩\u200dAnn": "👩Ann",
    "e\u00ad\u0301va": "éva",
    "\u1780\u17b4": "\u1780",
}
REFUSED = {
    "Write the name that people": ["", "   ", "\t\n"],
    "no visible letter": [
        "\u3164", "\u2800\u2800", "\u200b", "\u200d", "\u0301", "\u2060\u200b", "\u200f", "\ufe0f",
        "\u2066\u2069", "\U000e0041\U000e007f",
    ],
    "at most 40 letters": ["a" * 41, "ж" * 41, FAMILY * 41, "a" * 100_000, "क्षि" * 41],
    "reverses text": ["a\u202eb", "\u202eAnn", "Ann\u202d", "\u202eAnn\u202c"],
    "control character": ["Ann\x00", "a\x07b", "\x7fAnn", "A\x9fnn"],
    "one line": ["Ann\u2028Lee", "Ann\u2029Lee", "Ann\x85Lee", "Ann\x0bLee"],
    "half a character": ["\ud83d", "Ann\udc00"],
    "other devices": ["Ann\ue000", "Ann\u0378", "Ann\ufdd0", "Ann\U0010ffff", "Ann\ufffd", "Ann\ufffc"],
    "invisible character": ["Ann\u2800Lee", "Ann\ufff9Lee", "Ann\U0001d159Lee", "Ann\U00013441"],
    "too many accents": [
        *(letter + mark * 3 for letter, mark in TOWERS), *(letter + mark * 15 for letter, mark in TOWERS),
        "ก" + "\u0e34\u0e49" * 3, "ក" + "\u17c6\u17bb" * 3, "က" + "\u1036\u102f" * 3,
        "ཀ" + "\u0f74\u0f7a" * 3, "क" + "\u0941\u0902" * 3, "ກ" + "\u0eb4\u0ec9" * 3,
        "ក" + "\u17c6\u034f" * 3, "क" + "\u094d\u200d" * 3, "ཀ" + "\u0f90\u0f91" * 5,
        "a\u0300\u0316\u0301\u0317\u0302", "ấ\u0316\u0317\u0323", FAMILY + "\u200d👦" * 20,
    ],
    "without a letter": ["\u0301Ann", "Ann \u0301Lee", "Ann \u2067\u0301נועה\u2069"],
}  # fmt: skip


@pytest.mark.parametrize("name", AS_TYPED.values(), ids=AS_TYPED.keys())
def test_a_name_is_stored_as_typed(name: str) -> None:
    assert ascii(clean_name(name)) == ascii(name)


@pytest.mark.parametrize(("raw", "clean"), TIDIED.items(), ids=ascii)
def test_characters_without_a_meaning_are_removed(raw: str, clean: str) -> None:
    assert ascii(clean_name(raw)) == ascii(clean)


@pytest.mark.parametrize(
    ("cause", "raw"),
    [(cause, raw) for cause, all_raw in REFUSED.items() for raw in all_raw],
    ids=lambda x: ascii(x[:9]),
)
def test_a_name_is_refused_with_its_cause(cause: str, raw: str) -> None:
    with pytest.raises(Invalid, match=cause) as refused:
        clean_name(raw)
    assert set(refused.value.fields or {}) == {"name"}


ODD = st.text(
    st.sampled_from(
        "aЖ ́̈علیन्रमཧཱुက်ྟ👨🏽🏴❤ㅋㅤ\u200b\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u2066\u2067\u2068\u2069"
        "\u202f\u3000\ufe0f\u2060\ufeff\u00ad\u034f\u180e\U000e0067\U000e007f\U000e0100ｶﾞ1⃣"
    ),
    max_size=60,
)


@given(st.one_of(st.text(max_size=60), ODD))
def test_accepted_names_are_short_visible_and_stable(raw: str) -> None:
    try:
        name = clean_name(raw)
    except Invalid:
        return
    assert 1 <= len(name) <= MOST_CODE_POINTS
    assert name == name.strip()
    assert name == unicodedata.normalize("NFC", name)
    assert not any(unicodedata.category(letter) in ("Cc", "Co", "Cs", "Zl", "Zp") for letter in name)
    assert not {"\u202d", "\u202e"} & set(name)
    opened = sum(letter in "\u2066\u2067\u2068\u202a\u202b" for letter in name)
    assert opened == sum(letter in "\u2069\u202c" for letter in name)
    assert clean_name(name) == name


@pytest.mark.parametrize(
    "raw", ["\u2066" * 1280, "क" + "्\u200d" * 639, "a\u200c" * 640, " \u200c" * 640, "\u2068a\u2069 " * 320]
)
def test_no_name_takes_long_to_judge(raw: str) -> None:
    """In CPU time: names are checked on the event loop."""
    began = time.thread_time()
    with contextlib.suppress(Invalid):
        clean_name(raw)
    assert time.thread_time() - began < 0.1
