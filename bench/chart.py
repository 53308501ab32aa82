"""A bar chart as SVG, without a library, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bench.report import figure

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 320, 60, 48, 56
COLOURS = ("#ff9b6b", "#5b7db1", "#8a8f98")
TEXT = "#6b7280"


@dataclass(frozen=True)
class Series:
    name: str
    values: Sequence[float]


def bars(title: str, labels: Sequence[str], series: Sequence[Series], target: float | None = None) -> str:
    """One group of bars for each label; `target` is a dashed line across."""
    most = 1.15 * max([*(value for one in series for value in one.values), target or 0.0])
    parts = [_text(LEFT, 22, title, size=16, anchor="start")]
    group = (WIDTH - LEFT - 20) / len(labels)
    for at, label in enumerate(labels):
        left = LEFT + at * group
        parts.append(_text(left + group / 2, HEIGHT - BOTTOM + 20, label))
        parts += _group(left + 0.1 * group, 0.8 * group, [one.values[at] for one in series], most)
    parts += [_legend(at, one.name) for at, one in enumerate(series)]
    if target is not None:
        parts.append(_target(_y(target, most), figure(target)))
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", *parts, "</svg>", ""])


def _group(left: float, width: float, values: Sequence[float], most: float) -> list[str]:
    each = width / len(values)
    parts = []
    for at, value in enumerate(values):
        x, y = left + at * each, _y(value, most)
        box = f'x="{x:.1f}" y="{y:.1f}" width="{0.9 * each:.1f}" height="{HEIGHT - BOTTOM - y:.1f}"'
        parts += [
            f'<rect {box} fill="{COLOURS[at]}"/>',
            _text(x + 0.45 * each, y - 5, figure(value), size=11),
        ]
    return parts


def _legend(at: int, name: str) -> str:
    x = LEFT + at * 190
    return f'<rect x="{x}" y="33" width="10" height="10" fill="{COLOURS[at]}"/>' + _text(
        x + 15, 42, name, size=11, anchor="start"
    )


def _target(y: float, value: str) -> str:
    place = f'x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}"'
    line = f'<line {place} stroke="{TEXT}" stroke-dasharray="5 4"/>'
    return line + _text(LEFT - 6, y + 4, value, size=11, anchor="end")


def _y(value: float, most: float) -> float:
    return TOP + (HEIGHT - BOTTOM - TOP) * (1 - value / most)


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "middle") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{TEXT}">{escape(text)}</text>'
