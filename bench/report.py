"""The output of a bench: a table on the terminal, figures and a chart in bench/results/.

The JSON holds the machine, its load before and after, the parameters and every figure of every run, so that a
reader can judge how far to trust the medians.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import bcrypt
import msgspec
import psutil

from bench.meter import median

RESULTS = Path(__file__).with_name("results")
LIBRARIES = ("tornado", "uvloop", "psycopg2-binary", "redis", "msgspec", "Jinja2")
Result = TypeVar("Result")
# These figures are exact and not rounded.
COUNTS = {"online", "idle", "pairs", "in_flight", "per_second", "sockets"}


@dataclass(frozen=True)
class Measured:
    """One size of a bench: the medians, and the runs they come from."""

    middle: Any
    runs: list[Any]


def measured(runs: list[Result]) -> Measured:
    """The median of each figure over the runs."""
    kind = type(runs[0])
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return Measured(
        kind(**{name: median([getattr(run, name) for run in runs]) for name in names}), list(runs)
    )


def machine() -> dict[str, object]:
    """The machine of the measurement. `bcrypt_12_ms` is a yardstick: CPU time of one hash."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "bcrypt_12_ms": round(_yardstick(), 1),
        "load_before": os.getloadavg(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _yardstick() -> float:
    times = []
    for _ in range(3):
        began = time.process_time()
        bcrypt.hashpw(b"a password of some length", bcrypt.gensalt(12))
        times.append(1000 * (time.process_time() - began))
    return min(times)


def save(name: str, on: dict[str, object], plan: object, sizes: Sequence[Measured], picture: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    body = {
        "machine": on | {"load_after": os.getloadavg()},
        "plan": asdict(plan),  # type: ignore[call-overload]
        "medians": [_rounded(size.middle) for size in sizes],
        "runs": [[_rounded(run) for run in size.runs] for size in sizes],
    }
    text = msgspec.json.format(msgspec.json.encode(body), indent=1)
    (RESULTS / f"{name}.json").write_bytes(text + b"\n")
    (RESULTS / f"{name}.svg").write_text(picture)


def _rounded(result: Any) -> dict[str, float]:
    return {name: round(value, 3) for name, value in asdict(result).items()}


def show(columns: dict[str, str], sizes: Sequence[Measured], names: Sequence[str] = ()) -> None:
    """Prints the medians, one size per line: `columns` are figures and their headings, `names` come first."""
    heads = [*([""] if names else []), *columns.values()]
    rows = [[*names[at : at + 1], *_cells(columns, size.middle)] for at, size in enumerate(sizes)]
    print(table(heads, rows))


def _cells(columns: dict[str, str], middle: Any) -> list[str]:
    return [_cell(name, getattr(middle, name)) for name in columns]


def _cell(name: str, value: float) -> str:
    return f"{value:,.0f}" if name in COUNTS else figure(value)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
    lines = [_line(row, widths) for row in [heads, ["-" * width for width in widths], *rows]]
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return "  ".join([first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])


def figure(value: float) -> str:
    """Three significant figures: 1,234 · 56.7 · 0.89."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
