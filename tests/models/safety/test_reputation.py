"""Reputation: whose reports count. A pure rule, case by case."""

from __future__ import annotations

import pytest

from models.safety.reputation import OpenReport, counted, is_good, rule_of


@pytest.mark.parametrize(
    ("upheld", "dismissed", "expected"),
    [(0, 0, True), (0, 1, False), (1, 1, True), (1, 2, False), (5, 1, True), (0, 9, False)],
)
def test_reputation_is_good_while_no_more_were_dismissed_than_upheld(
    upheld: int, dismissed: int, expected: bool
) -> None:
    assert is_good(upheld, dismissed) is expected


def report(number: int, *, reason: str = "spam", upheld: int = 0, dismissed: int = 0) -> OpenReport:
    return OpenReport(f"report-{number}", f"reporter-{number}", reason, upheld, dismissed)


def test_reports_of_serial_false_reporters_do_not_count() -> None:
    honest, false = report(1), report(2, dismissed=3)
    assert counted([honest, false]) == [honest]


def test_a_reporter_counts_once() -> None:
    assert len(counted([report(1), report(1, reason="fake")])) == 1


def test_the_most_frequent_rule_is_used() -> None:
    assert (
        rule_of([report(1, reason="fake"), report(2, reason="nudity"), report(3, reason="nudity")])
        == "nudity"
    )
    assert rule_of([report(1, reason="fake"), report(2, reason="nudity")]) == "fake"
