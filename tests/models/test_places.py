"""Cursors: what was given is read back, and nothing else is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from models.errors import Invalid
from models.ids import new_id
from models.places import place_of, read_place


def test_a_cursor_is_read_back() -> None:
    at, one_id = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), new_id()
    assert read_place(place_of(at, one_id)) == (at, one_id)


NO_ZONE = place_of(datetime(2026, 1, 1), "00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("cursor", ["", "x", "é", "MjAyNg", "A" * 5000, NO_ZONE])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        read_place(cursor)


@pytest.mark.parametrize(
    "at",
    [
        "2026-01-01T00:00:00+20:00", "2026-01-01T00:00:00-23:59", "2026-01-01T00:00:00+01:00",
        "2026-01-01", "0000-01-01T00:00:00Z", "nan", "infinity", "now",
    ],
)  # fmt: skip
def test_an_instant_that_is_not_in_utc_is_refused(at: str) -> None:
    with pytest.raises(Invalid):
        read_place(base64.urlsafe_b64encode(f"{at}|{new_id()}".encode()).decode())
