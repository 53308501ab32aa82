"""The reputation of reporters: whose reports count towards an automatic ban. Pure: no I/O, no clock.

A reporter is in good standing while no more of their reports were dismissed than upheld. A new reporter is in
good standing; a dismissed first report loses it, and an upheld one restores it. A report counts if it came
from a meeting, is undecided, and its reporter is in good standing. Every report is reviewed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec


class OpenReport(msgspec.Struct, frozen=True):
    """An undecided report from a meeting, with the decisions about its reporter's other reports."""

    report_id: str
    reporter_id: str
    reason: str
    upheld: int
    dismissed: int


def is_good(upheld: int, dismissed: int) -> bool:
    return dismissed <= upheld


def counted(reports: Sequence[OpenReport]) -> list[OpenReport]:
    """The reports that count, one per reporter."""
    good = [report for report in reports if is_good(report.upheld, report.dismissed)]
    return list({report.reporter_id: report for report in good}.values())


def rule_of(reports: Sequence[OpenReport]) -> str:
    """The most common reason; ties go to the earliest report."""
    return Counter(report.reason for report in reports).most_common(1)[0][0]
