"""The time limit of each fuzzer: `FUZZ_SECONDS` in the environment, two minutes by default."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator


def seconds() -> float:
    return float(os.environ.get("FUZZ_SECONDS", "120"))


def rounds() -> Iterator[int]:
    """Counts rounds until the time limit is reached; at least one."""
    until, count = time.monotonic() + seconds(), 0
    while count == 0 or time.monotonic() < until:
        yield count
        count += 1
