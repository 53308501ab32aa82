"""The weight of reports: rule by rule, and a simulation of brigades against an honest user."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.safety.reputation import OpenReport, counted, hides_card, parties, rule_of, total, weight

THRESHOLD, TRIALS = 4, 2000
PAGE = Path(__file__).resolve().parents[3] / "docs/decisions/product/report-weights.md"


def report(number: int, reason: str = "spam", **known: object) -> OpenReport:
    fields = {"tree": (f"user {number}",), "addresses": (f"address {number}",)} | known
    return OpenReport(report_id=f"report {number}", reporter_id=f"user {number}", reason=reason, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, 1),
        ({"has_called": False}, 0.5),
        ({"is_day_old": False}, 0.5),
        ({"has_called": False, "is_day_old": False}, 0.5),
        ({"dismissed": 1}, 0.5),
        ({"dismissed": 3, "has_called": False}, 1 / 16),
    ],
)
def test_the_weight_of_one_reporter(known: dict[str, object], expected: float) -> None:
    assert weight(report(1, **known)) == expected


def test_a_party_weighs_as_much_as_its_heaviest_reporter() -> None:
    tree = [report(n, tree=(f"user {n}", "payer"), has_called=n == 3) for n in range(1, 6)]
    assert total(tree) == 1
    household = [report(n, addresses=("home",)) for n in range(1, 6)]
    assert total(household) == 1
    assert total([*tree[:2], *household[3:]]) == 1.5


def test_parties_join_over_a_common_member_in_any_order() -> None:
    left, right = report(1, addresses=("a",)), report(2, addresses=("b",))
    both = report(3, addresses=("a", "b"))
    for reports in ([left, right, both], [both, left, right], [left, both, right]):
        assert len(parties(reports)) == 1
    assert len(parties([left, right])) == 2


def test_an_inviter_and_the_invited_are_one_party() -> None:
    payer, friend = report(1), report(2, tree=("user 2", "user 1"))
    friend_of_friend = report(3, tree=("user 3", "user 2", "user 1"))
    assert len(parties([payer, friend, friend_of_friend])) == 1


def test_reports_of_a_card_do_not_count() -> None:
    assert counted([report(1), report(2, source="card")]) == [report(1)]


def test_two_independent_parties_hide_the_card() -> None:
    assert not hides_card([report(1, "minor"), report(2, "spam")])
    assert not hides_card([report(n, "minor", addresses=("home",)) for n in range(5)])
    assert hides_card([report(1, "minor"), report(2, "minor")])
    assert not hides_card([report(1, "minor"), report(2, "minor", minors=4)])


def test_the_most_frequent_rule_is_used() -> None:
    assert rule_of([report(1, "fake"), report(2, "nudity"), report(3, "nudity")]) == "nudity"
    assert rule_of([report(1, "fake"), report(2, "nudity")]) == "fake"


# -- simulation --


def brigade(chance: random.Random, accounts: int, addresses: int, payers: int) -> Iterator[OpenReport]:
    """All accounts report. Each payer lets the others in, by one code or by the code of a user who joined
    with it; each account uses some of the addresses, has called or not, and is new or not.
    """
    inviters: dict[int, tuple[str, ...]] = {}
    for number in range(accounts):
        above = chance.randrange(number) if number >= payers else None
        tree = (f"bad {number}",) if above is None else (f"bad {number}", *inviters[above][:2])
        inviters[number] = tree
        used = chance.sample(range(addresses), chance.randint(1, addresses))
        yield report(
            1000 + number, tree=tree, addresses=tuple(f"bad address {one}" for one in used),
            has_called=chance.random() < 0.8, is_day_old=chance.random() < 0.8,
        )  # fmt: skip


def mistaken(chance: random.Random) -> Iterator[OpenReport]:
    """Independent reports about an honest user: one for one user in ten, two for one in a hundred."""
    for number in range(2):
        if chance.random() < 0.1:
            yield report(number)
        else:
            return


def false_bans(accounts: int, addresses: int, payers: int) -> float:
    chance = random.Random(f"{accounts} {addresses} {payers}")
    bans = sum(
        total([*brigade(chance, accounts, addresses, payers), *mistaken(chance)]) >= THRESHOLD
        for _ in range(TRIALS)
    )
    return bans / TRIALS


def test_a_brigade_causes_no_false_ban_and_the_decision_page_has_its_table() -> None:
    found = [
        (accounts, addresses, payers, false_bans(accounts, addresses, payers))
        for accounts, addresses, payers in ((5, 3, 1), (20, 3, 1), (20, 3, 20))
    ]
    assert all(share < 0.001 for *_, payers, share in found if payers == 1)
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| ([\d.]+) % \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [(str(a), str(b), str(c), f"{100 * share:.1f}") for a, b, c, share in found]


def test_four_independent_reporters_ban_an_abuser_at_once_and_three_do_not() -> None:
    for reporters, is_banned in ((3, False), (4, True)):
        assert (total(report(number) for number in range(reporters)) >= THRESHOLD) is is_banned
