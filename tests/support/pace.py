"""Time limits that hold on a busy machine too."""

from __future__ import annotations

import os
from pathlib import Path


def within(seconds: float) -> float:
    """The limit for a quiet machine, extended by the load of the processors: in the last minute, or now."""
    running = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
    return seconds * max(1.0, max(os.getloadavg()[0], running) / len(os.sched_getaffinity(0)))
