"""Templates: their filters, and that nothing in them is undefined or unescaped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import jinja2
import pytest

from handlers.http.templates import ENDED_WORDS, Templates, clock, gender_word, minutes, when
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


def test_an_undefined_variable_raises() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Templates(Config()).render("public/errors/_error.html", {})
