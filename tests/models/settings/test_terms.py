"""The terms in force: whose text, which version, and what changes it."""

from __future__ import annotations

from pathlib import Path

from models.settings.config import Config
from models.settings.terms import terms_in_force


def test_ours_has_the_values_of_the_settings_and_no_placeholder() -> None:
    text = terms_in_force(Config(price_cents=250, call_min_seconds=90, cooldown_connected_seconds=7200)).text
    for words in ("$2.50", "from 1.5 to 30 minutes", "for 2 hours", "2.3 No selling, no spam"):
        assert words in text
    assert "{" not in text


def test_a_new_price_is_no_new_version_but_another_text() -> None:
    one, other = terms_in_force(Config()), terms_in_force(Config(price_cents=250))
    assert one.version == other.version
    assert one.text_hash != other.text_hash


def test_the_text_of_the_operator_has_its_own_version(tmp_path: Path) -> None:
    file = tmp_path / "terms.md"
    file.write_text("Be {kind}.")
    first = terms_in_force(Config(terms_file=file))
    assert first.text == "Be {kind}."
    file.write_text("Be kinder.")
    second = terms_in_force(Config(terms_file=file))
    assert len({first.version, second.version, terms_in_force(Config()).version}) == 3


def test_the_name_of_a_version_is_all_that_counts(tmp_path: Path) -> None:
    file = tmp_path / "terms.md"
    file.write_text("Be kind.")
    named = Config(terms_file=file, terms_version="2026-12")
    assert terms_in_force(named).version == "2026-12"
    file.write_text("Be kind. (A typo less.)")
    assert terms_in_force(named).version == "2026-12"
