"""Templates: their filters, and that nothing in them is undefined or unescaped."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import jinja2
import pytest

from handlers.http.templates import (
    ENDED_WORDS,
    STATIC,
    Pages,
    clock,
    gender_word,
    is_as_started,
    minutes,
    modules,
    static_url,
    when,
)
from models.settings.config import Config


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(300, "5 min"), (90, "1 min 30 s"), (40, "40 s"), (0, "0 s"), (60, "1 min"), (1800, "30 min")],
)
def test_lengths(seconds: int, text: str) -> None:
    assert minutes(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (9, "0:09"), (245, "4:05"), (1800, "30:00")])
def test_clocks(seconds: int, text: str) -> None:
    assert clock(seconds) == text


def test_instants_are_utc() -> None:
    at = datetime(2026, 5, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert when(at) == "30 Apr 2026, 23:30 UTC"
    assert when(at.astimezone(UTC)) == when(at)


def test_pronouns() -> None:
    words = [gender_word(gender) for gender in ("female", "male", "nonbinary", "unspecified")]
    assert words == ["her", "him", "them", "them"]


def test_every_end_of_a_call_has_a_text() -> None:
    assert set(ENDED_WORDS) == {"hung_up", "expired", "dropped", "failed", "banned"}


def test_a_static_url_has_the_version_and_a_missing_file_raises() -> None:
    assert re.fullmatch(r"/static/[0-9a-f]{12}/css/app\.css", static_url("css/app.css"))
    with pytest.raises(FileNotFoundError):
        static_url("nowhere.css")


def test_a_file_changed_since_the_start_does_not_belong_to_the_version(tmp_path: Path) -> None:
    assert is_as_started(STATIC / "app.js")
    (tmp_path / "app.js").touch()
    assert not is_as_started(tmp_path / "app.js")


def test_a_page_preloads_static_imports_but_not_dynamic_ones() -> None:
    assert modules("copy_button.js", "app.js") == ("announce.js", "app.js", "copy_button.js")
    assert "signed_out.js" in modules("ringing/ring.js")  # Imported for its side effects.


def test_an_undefined_variable_raises() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Pages(Config()).render("public/errors/_error.html", {})
