"""The plots of the dashboard as shapes of an SVG: a bar for each hour of a day, for six hours of a week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Literal, NamedTuple

from models.console.hourly_figures import Hour

Span = Literal["day", "week"]
HOURS: dict[Span, int] = {"day": 24, "week": 168}
BAR_HOURS: dict[Span, int] = {"day": 1, "week": 6}
# The field of the bars within the drawing; the highest number is written above it, the hours below.
WIDTH, TOP, BOTTOM = 360.0, 20.0, 110.0
GAP = 0.2
MARK_WIDTH = 32.0


class Bar(NamedTuple):
    """`kind` is the number of the part, or `gap` for hours without figures."""

    kind: int | Literal["gap"]
    x: float
    y: float
    width: float
    height: float
    words: str


class Mark(NamedTuple):
    x: float
    words: str


class Plot(NamedTuple):
    """`parts` are the colours from the bottom up, with their sums (or the highest number)."""

    title: str
    most: int
    parts: list[tuple[str, int]]
    bars: list[Bar]
    marks: list[Mark]

    @property
    def words(self) -> str:
        """The plot for those who do not see it."""
        return f"{self.title}: {', '.join(f'{count} {name}' for name, count in self.parts)}"


class _Kind(NamedTuple):
    """What a plot shows: `join` makes one number of several hours."""

    title: str
    join: Callable[[Sequence[int]], int]
    parts: dict[str, Callable[[Hour], int | None]]


ONLINE = _Kind("Online", max, {"at once at most": lambda hour: hour.online})
CALLS = _Kind(
    "Calls", sum, {"went well": lambda hour: hour.good_calls, "did not": lambda hour: hour.other_calls}
)
RINGS = _Kind(
    "Rings",
    sum,
    {
        "accepted": lambda hour: hour.calls,
        "declined": lambda hour: hour.declined,
        "missed": lambda hour: hour.missed,
        "cancelled": lambda hour: hour.cancelled,
    },
)
PAYMENTS = _Kind("Payments", sum, {"paid": lambda hour: hour.payments})


def drawn(hours: Sequence[Hour], span: Span, *, with_money: bool) -> list[Plot]:
    """None while nothing was recorded."""
    if all(hour.online is None for hour in hours):
        return []
    long = BAR_HOURS[span]
    groups = [
        list(group) for _, group in groupby(hours, lambda one: (one.hour.date(), one.hour.hour // long))
    ]
    kinds = (ONLINE, CALLS, RINGS, PAYMENTS) if with_money else (ONLINE, CALLS, RINGS)
    return [_plot(kind, groups, span) for kind in kinds]


def _plot(kind: _Kind, groups: Sequence[Sequence[Hour]], span: Span) -> Plot:
    stacks = [[_joined(kind, group, of) for of in kind.parts.values()] for group in groups]
    known = [stack for stack in stacks if stack[0] is not None]
    most = max(sum(count or 0 for count in stack) for stack in known)
    sums = [kind.join([stack[at] or 0 for stack in known]) for at in range(len(kind.parts))]
    wide = WIDTH / len(groups)
    bars = [
        bar
        for at, (group, stack) in enumerate(zip(groups, stacks, strict=True))
        for bar in _bars(kind, group, stack, at * wide, wide, max(1, most))
    ]
    words_at = [(at * wide, _mark(group[0], span)) for at, group in enumerate(groups)]
    marks = [Mark(round(x, 2), words) for x, words in words_at if words and x <= WIDTH - MARK_WIDTH]
    return Plot(kind.title, most, list(zip(kind.parts, sums, strict=True)), bars, marks)


def _joined(kind: _Kind, group: Sequence[Hour], of: Callable[[Hour], int | None]) -> int | None:
    counts = [count for hour in group if (count := of(hour)) is not None]
    return kind.join(counts) if counts else None


def _bars(
    kind: _Kind, group: Sequence[Hour], stack: Sequence[int | None], x: float, wide: float, most: int
) -> list[Bar]:
    """From the bottom up; a bar without height is left out."""
    began, ended = group[0].hour, group[-1].hour + timedelta(hours=1)
    when, width, y = f"{began:%a %H:%M} to {ended:%H:%M}", round(wide * (1 - GAP), 2), BOTTOM
    if stack[0] is None:
        return [Bar("gap", round(x, 2), TOP, width, BOTTOM - TOP, f"{when}: the site did not run")]
    found = []
    for part, (name, count) in enumerate(zip(kind.parts, stack, strict=True)):
        if count:
            height = (BOTTOM - TOP) * count / most
            y -= height
            found.append(
                Bar(part, round(x, 2), round(y, 2), width, round(height, 2), f"{when}: {count} {name}")
            )
    return found


def _mark(first: Hour, span: Span) -> str:
    """Midnights of a week, every sixth hour of a day."""
    if span == "week":
        return f"{first.hour:%a}" if first.hour.hour < BAR_HOURS["week"] else ""
    return f"{first.hour:%H:%M}" if first.hour.hour % 6 == 0 else ""
