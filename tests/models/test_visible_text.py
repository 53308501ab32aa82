"""What a reader sees of a text, by Unicode's data."""

from __future__ import annotations

import pytest

from models.visible_text import (
    is_piled,
    is_visible,
    letters_in,
    marks_of,
    ordinary_width,
    tallest,
    without_edges,
    without_unseen,
)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u2800", "\u3164", "\u200e\u2069"])
def test_a_text_without_ink_is_not_visible(text: str) -> None:
    assert not is_visible(text)
    assert is_visible(text + "a")


def test_letters_are_grapheme_clusters() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert letters_in(f"e\u0301 {family}") == 3
    assert tallest(family) == 5
    assert tallest("") == 0


def test_edges_are_removed_with_their_partners() -> None:
    assert without_edges("\u2068 Anna \u2069") == "Anna"
    assert marks_of("\u2068a\u2069\u2069").single == {3}


def test_invisible_characters_stay_where_they_have_a_meaning() -> None:
    assert without_unseen("a\u200db") == "ab"
    assert without_unseen("\u0d7b\u0d4d\u200d") == "\u0d7b\u0d4d\u200d"


def test_full_width_letters_become_ordinary_ones() -> None:
    assert ordinary_width("\uff21\uff4e\uff4e\uff41") == "Anna"


def test_more_marks_than_any_script_writes_are_piled() -> None:
    assert is_piled("a" + "\u0301\u0302" * 5)
    assert not is_piled("e\u0301")
