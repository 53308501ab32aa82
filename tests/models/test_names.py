"""Names: what passes, what is tidied, what is refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Invalid
from models.names import LONGEST, clean_name

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Ann", "Ann"),
        ("  Ann \t\n Lee ", "Ann Lee"),
        ("Ann\u00a0Lee", "Ann Lee"),
        ("Ａｎｎ", "Ann"),
        ("e\u0301va", "éva"),
        ("<b>Ann</b>", "<b>Ann</b>"),
        ("{{7*7}}", "{{7*7}}"),
        ("O’Neil-Smith 3.", "O’Neil-Smith 3."),
        ("李小龙", "李小龙"),
        ("نگار", "نگار"),
        ("می\u200cخوام", "می\u200cخوام"),
        (FAMILY, FAMILY),
        ("👩🏽\u200d🚀 Ann", "👩🏽\u200d🚀 Ann"),
        ("🏳️\u200d🌈", "🏳️\u200d🌈"),
        ("a" * LONGEST, "a" * LONGEST),
    ],
)
def test_a_name_is_tidied(raw: str, clean: str) -> None:
    assert clean_name(raw) == clean


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "\u3164",
        "\u2800\u2800",
        "\u200b",
        "\u200d",
        "\u0301",
        "a" * (LONGEST + 1),
        "Ann\x00",
        "Ann\x07",
        "\u202eAnn",
        "Ann\u2066",
        "An\u200bn",
        "An\u200dn",
        "Ann\u200d",
        "👩\u200dAnn",
        "Ann\ufeff",
        "Ann\ue000",
        "Ann\U000e0041",
        "Ann\u0378",
        "Ann\u115f",
        "An\u00adn",
        "a" + "\u0334" * 5,
    ],
)
def test_a_name_is_refused_by_its_field(raw: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_name(raw)
    assert set(refused.value.fields or {}) == {"name"}


@given(st.text(max_size=60))
def test_whatever_passes_is_short_visible_and_stays_as_it_is(raw: str) -> None:
    try:
        name = clean_name(raw)
    except Invalid:
        return
    assert 1 <= len(name) <= LONGEST
    assert name == name.strip()
    assert not any(unicodedata.category(letter) in ("Cc", "Cn", "Co", "Cs") for letter in name)
    assert clean_name(name) == name
