"""Limits in seconds that mean the same on a machine that does other work too."""

from __future__ import annotations

import os


def within(seconds: float) -> float:
    """The limit, as it holds on a quiet machine; longer by as much as the processors are shared."""
    return seconds * max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
