"""Cursors: what was given is read back, and nothing else is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from models.cursors import cursor_of, read_cursor
from models.errors import Invalid
from models.ids import new_id


def test_a_cursor_is_read_back() -> None:
    at, one_id = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), new_id()
    assert read_cursor(cursor_of(at, one_id)) == (at, one_id)


NO_ZONE = cursor_of(datetime(2026, 1, 1), "00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("cursor", ["", "x", "é", "MjAyNg", "A" * 5000, NO_ZONE])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        read_cursor(cursor)


@pytest.mark.parametrize(
    "at",
    [
        "2026-01-01T00:00:00+20:00", "2026-01-01T00:00:00-23:59", "2026-01-01T00:00:00+01:00",
        "2026-01-01", "0000-01-01T00:00:00Z", "nan", "infinity", "now",
    ],
)  # fmt: skip
def test_an_instant_that_is_not_in_utc_is_refused(at: str) -> None:
    with pytest.raises(Invalid):
        read_cursor(base64.urlsafe_b64encode(f"{at}|{new_id()}".encode()).decode())
