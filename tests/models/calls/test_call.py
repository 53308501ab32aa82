"""A call's record: its users, the polite side, and reading it from a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from models.calls.call import Call, other, read_call
from models.calls.state import Rules, begin
from models.errors import NotFound

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def call(call_id: str = "a", **progress: Any) -> Call:
    state = msgspec.structs.replace(begin(60, NOON, Rules()), **progress)
    return Call(call_id, "anna", "ben", 0, NOON, state)


def test_a_call_has_two_sides() -> None:
    assert (call().side_of("anna"), call().side_of("ben")) == ("caller", "callee")
    assert [call().user_on(other(call().side_of(who))) for who in ("anna", "ben")] == ["ben", "anna"]
    with pytest.raises(NotFound):
        call().side_of("cleo")


@pytest.mark.parametrize("first", "0123456789abcdef")
def test_the_call_id_alone_decides_which_side_is_polite(first: str) -> None:
    one = call(first + "0000000-0000-4000-8000-000000000000")
    assert one.is_polite("caller") is (int(first, 16) % 2 == 0)
    assert one.is_polite("callee") is not one.is_polite("caller")


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(None, 0), (0, 0), (999, 0), (29_999, 29), (30_000, 30)]
)
def test_started_seconds_do_not_count(milliseconds: int | None, seconds: int) -> None:
    assert call(connected_ms=milliseconds).connected_seconds == seconds


def test_a_record_is_read_from_its_row() -> None:
    one = call()
    row = msgspec.structs.asdict(one.progress) | {
        "call_id": "a", "invite_id": "i", "caller_id": "anna", "callee_id": "ben", "version": 0,
        "started_at": NOON,
    }  # fmt: skip
    assert read_call(row) == one
