"""Cursors: what was given is read back, and nothing else is."""

from __future__ import annotations

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
def test_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        read_place(cursor)
