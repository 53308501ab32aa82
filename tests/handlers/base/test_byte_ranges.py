"""A single byte range, as browsers request it."""

from __future__ import annotations

import pytest

from handlers.base.byte_ranges import Range, range_of


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-", Range(0, 99)), ("bytes=0-0", Range(0, 0)), ("bytes=10-19", Range(10, 19)),
        ("bytes=90-500", Range(90, 99)), ("bytes=-5", Range(95, 99)), ("bytes=-500", Range(0, 99)),
        ("bytes=100-", Range(100, 99)), ("bytes=-0", Range(100, 99)), ("bytes= 3 - 4", Range(3, 4)),
    ],
)  # fmt: skip
def test_a_range(header: str, part: Range) -> None:
    assert range_of(header, 100) == part


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes=-", "bytes=5-4", "bytes=0-1,3-4", "items=0-1", "bytes=x-", "bytes=" + "9" * 99],
)
def test_an_unknown_range_is_the_whole_file(header: str | None) -> None:
    assert range_of(header, 100) is None
