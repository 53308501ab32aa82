"""Time limits that hold on a busy machine too."""

from __future__ import annotations

import os


def within(seconds: float) -> float:
    """The limit for a quiet machine, extended by the current load of the processors."""
    return seconds * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
