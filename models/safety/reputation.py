"""The weight of reports towards an automatic ban. Pure: no I/O, no clock.

A reporter weighs 1; 1/2 before their first successful call, or on the day of their sign-up. Each of their
reports that was dismissed halves the weight. Reporters who share an inviter within two steps, or an address
(of IPv6: a /48), are one party, which weighs as much as its heaviest reporter: one payer who lets others in
has one vote. Every report is reviewed, whatever it weighs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

# A ban needs the weight of several parties; a hidden card needs two.
PARTIES_TO_HIDE, LEAST_TO_HIDE = 2, 0.5
# Of one reporter in a day. Two accounts cannot hide every card: further reports only wait for a review.
MOST_HIDING = 3


class OpenReport(msgspec.Struct, frozen=True, kw_only=True):
    """An undecided report with what its weight depends on. `tree` is the reporter and up to two inviters,
    `addresses` are keyed hashes of the reporter's recent addresses, `dismissed` counts their dismissed
    reports, `minors` their undecided ones of under-age users in the day before this one, with it.
    """

    report_id: str
    reporter_id: str
    reason: str
    source: Literal["met", "card"] = "met"
    has_called: bool = True
    is_day_old: bool = True
    dismissed: int = 0
    minors: int = 1
    tree: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def weight(report: OpenReport) -> float:
    """A power of two from 1 downwards, so sums are exact."""
    return (1.0 if report.has_called and report.is_day_old else 0.5) * 0.5 ** min(report.dismissed, 50)


def parties(reports: Iterable[OpenReport]) -> list[list[OpenReport]]:
    """The reports by independent party."""
    found: list[tuple[set[str], list[OpenReport]]] = []
    for report in reports:
        marks = {report.reporter_id, *report.tree, *(f"address {one}" for one in report.addresses)}
        members = [report]
        for known in [known for known in found if known[0] & marks]:
            found.remove(known)
            marks |= known[0]
            members = known[1] + members
        found.append((marks, members))
    return [members for _, members in found]


def total(reports: Iterable[OpenReport]) -> float:
    """The weight of all parties together."""
    return sum(max(map(weight, party)) for party in parties(reports))


def counted(reports: Sequence[OpenReport]) -> list[OpenReport]:
    """The reports that count towards a ban: those from a meeting."""
    return [report for report in reports if report.source == "met"]


def hides_card(reports: Iterable[OpenReport]) -> bool:
    """Whether independent parties say that the user is under age. Each has a reporter of at least half the
    full weight: a reporter who was wrong twice cannot hide cards, and none can hide more than three a day.
    """
    found = parties(one for one in reports if one.reason == "minor" and one.minors <= MOST_HIDING)
    return sum(max(map(weight, party)) >= LEAST_TO_HIDE for party in found) >= PARTIES_TO_HIDE


def rule_of(reports: Sequence[OpenReport]) -> str:
    """The most common reason; ties go to the earliest report."""
    return Counter(report.reason for report in reports).most_common(1)[0][0]
