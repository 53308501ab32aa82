"""A single byte range of a file (RFC 9110, section 14)."""

from __future__ import annotations

import re
from typing import NamedTuple


class Range(NamedTuple):
    """From `first` to `last`, both included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


def range_of(header: str | None, size: int) -> Range | None:
    """The range, or None for the whole file (no range, several, or an unknown unit).

    A range that begins after the end of the file is returned as it is: it cannot be satisfied.
    """
    found = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", (header or "").replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    return Range(first, last)
