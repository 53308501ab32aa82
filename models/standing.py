"""Whose reports count towards an automatic ban. Pure: no I/O, no clock.

A reporter's standing is good while no more of their reports were dismissed than upheld. So whoever is new has
a good one, a first report that is dismissed costs it, and one that is upheld wins it back. A report counts
when it came from a meeting, is still to be looked at, and its reporter's standing is good; it goes to review
either way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec


class OpenReport(msgspec.Struct, frozen=True):
    """A report from a meeting that nobody has looked at yet, with what became of its reporter's others."""

    report_id: str
    reporter_id: str
    reason: str
    upheld: int
    dismissed: int


def is_good(upheld: int, dismissed: int) -> bool:
    return dismissed <= upheld


def weighty(reports: Sequence[OpenReport]) -> list[OpenReport]:
    """Those that count, one a reporter."""
    good = [report for report in reports if is_good(report.upheld, report.dismissed)]
    return list({report.reporter_id: report for report in good}.values())


def rule_of(reports: Sequence[OpenReport]) -> str:
    """What most of them say; of equals the one that was said first."""
    return Counter(report.reason for report in reports).most_common(1)[0][0]
