"""The plots of the dashboard: bars with their words, gaps, and a page that says when there is nothing yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers.console.plots import BOTTOM, TOP, WIDTH, Span, drawn
from models.console.hourly_figures import Hour
from tests.conftest import Running
from tests.support.people.staff import at_work

BEGAN = datetime(2026, 11, 24, 10, tzinfo=UTC)


def hour(at: int, *counts: int | None) -> Hour:
    return Hour(BEGAN + timedelta(hours=at), *(counts or (None,) * 7))


def test_bars_are_stacked_and_named() -> None:
    day = [hour(at) for at in range(22)] + [hour(22, 5, 3, 2, 1, 0, 4, 0), hour(23, 0, 0, 0, 0, 0, 0, 0)]
    online, calls, rings = drawn(day, "day", with_money=False)
    assert [plot.most for plot in (online, calls, rings)] == [5, 3, 8]
    accepted, declined, missed = [bar for bar in rings.bars if bar.kind != "gap"]
    assert accepted.words == "Wed 08:00 to 09:00: 3 accepted"
    assert accepted.y + accepted.height == pytest.approx(BOTTOM, abs=0.02)
    assert declined.y + declined.height == pytest.approx(accepted.y, abs=0.02)
    assert missed.y == pytest.approx(TOP, abs=0.02)
    assert rings.words == "Rings: 3 accepted, 1 declined, 4 missed, 0 cancelled"
    assert len([bar for bar in rings.bars if bar.kind == "gap"]) == 22
    assert [mark.words for mark in online.marks] == ["12:00", "18:00", "00:00", "06:00"]


def test_a_week_has_a_bar_for_six_hours_and_a_mark_a_day() -> None:
    week = [hour(at, at % 24, 1, 1, 0, 0, 0, 2) for at in range(168)]
    online, calls, _, payments = drawn(week, "week", with_money=True)
    assert [bar.words for bar in online.bars[:2]] == [
        "Tue 10:00 to 12:00: 1 at once at most", "Tue 12:00 to 18:00: 7 at once at most",
    ]  # fmt: skip
    assert calls.parts == [("went well", 168), ("did not", 0)]
    assert payments.most == 12
    assert [mark.words for mark in online.marks] == ["Wed", "Thu", "Fri", "Sat", "Sun", "Mon"]


@pytest.mark.parametrize("span", ["day", "week"])
def test_every_bar_is_within_the_field(span: Span) -> None:
    hours = [
        hour(at, at, at, at // 2, at % 3, at % 5, at % 7, 0) for at in range(24 if span == "day" else 168)
    ]
    for plot in drawn(hours, span, with_money=True):
        for bar in plot.bars:
            assert 0 <= bar.x < bar.x + bar.width <= WIDTH
            assert TOP - 0.02 <= bar.y < bar.y + bar.height <= BOTTOM + 0.02


def test_nothing_recorded_is_no_plot_and_nothing_happened_is_a_plot_without_bars() -> None:
    assert drawn([hour(at) for at in range(24)], "day", with_money=True) == []
    quiet = drawn([hour(at, 0, 0, 0, 0, 0, 0, 0) for at in range(24)], "day", with_money=True)
    assert [plot.bars for plot in quiet] == [[]] * 4


async def test_the_page_of_a_new_site_and_of_an_old_one(site: Running) -> None:
    _, browser = await at_work(site, "Mia")
    assert "Nothing is recorded yet" in (await browser.get("/admin")).text
    await site.models.hourly_figures.record()
    page = (await browser.get("/admin?span=week")).text
    assert 'aria-label="Rings: 0 accepted, 0 declined, 0 missed, 0 cancelled"' in page
    assert "The last week" in page
    assert "Payments" not in page
    _, admin = await at_work(site, "Ada", "admin")
    assert 'aria-label="Payments: 0 paid"' in (await admin.get("/admin")).text
    assert "plots-title" not in (await admin.get("/admin", htmx=True)).text
