"""python -m bench [queue | calls] [--runs N]: measures, prints a table, writes bench/results/.

Without a name both run briefly, and write nothing: a look, not a measurement.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

import uvloop

from bench import calls_bench, queue_bench
from bench.picture import Series, bars
from bench.report import Measured, figure, machine, save, table

BRIEF_QUEUE = queue_bench.Plan(requests=400, turns=80, visits=40, runs=1)
BRIEF_CALLS = calls_bench.Plan(calls=100, runs=1, idle=(0, 500))
QUEUE_COLUMNS = {
    "online": "online", "json_per_server_second": "JSON/CPU s", "html_per_server_second": "HTML/CPU s",
    "statements": "SQL", "redis_scripts": "scripts", "redis_commands": "commands", "postgres_ms": "PG ms",
    "redis_ms": "Redis ms", "p50_ms": "p50 ms", "p99_ms": "p99 ms", "alone_p50_ms": "alone p50",
    "alone_p99_ms": "alone p99",
}  # fmt: skip
COMING_COLUMNS = {
    "online": "online", "turn_server_ms": "join+leave ms", "turn_redis_ms": "Redis ms",
    "turn_frames_to_others": "frames to others", "visit_server_ms": "visit ms", "visit_redis_ms": "Redis ms",
    "visit_frames_to_others": "frames to others",
}  # fmt: skip
CALLS_COLUMNS = {
    "idle": "idle", "calls_per_server_second": "calls/CPU s", "calls_per_second": "calls/s",
    "server_ms": "CPU ms", "postgres_ms": "PG ms", "redis_ms": "Redis ms", "statements": "SQL",
    "redis_scripts": "scripts", "ring_p50_ms": "ring p50", "ring_p99_ms": "ring p99",
    "answered_p50_ms": "set-up p50", "answered_p99_ms": "set-up p99", "running_p50_ms": "clock p50",
    "running_p99_ms": "clock p99", "pushes_per_second": "pushes/s", "idle_core_share": "idle core",
}  # fmt: skip


def queue(plan: queue_bench.Plan, *, keep: bool) -> None:
    on = machine()
    sizes = uvloop.run(queue_bench.run_queue(plan))
    print("\nGET /room/queue, first page, 8 at once (server CPU; PostgreSQL and Redis beside it)\n")
    _show(QUEUE_COLUMNS, sizes)
    print("\nOne person's coming and going, server CPU each\n")
    _show(COMING_COLUMNS, sizes)
    if keep:
        save("queue", on, plan, sizes, _queue_picture(sizes))


def calls(plan: calls_bench.Plan, *, keep: bool) -> None:
    on = machine()
    sizes = uvloop.run(calls_bench.run_calls(plan))
    print("\nThe whole job, 10 at once, per call (set-up: invite to the answer in the caller's hands)\n")
    _show(CALLS_COLUMNS, sizes)
    if keep:
        save("calls", on, plan, sizes, _calls_picture(sizes))


def _show(columns: dict[str, str], sizes: Sequence[Measured]) -> None:
    rows = [[_cell(name, getattr(size.middle, name)) for name in columns] for size in sizes]
    print(table(list(columns.values()), rows))


def _cell(name: str, value: float) -> str:
    return f"{value:,.0f}" if name in ("online", "idle") else figure(value)


def _queue_picture(sizes: Sequence[Measured]) -> str:
    labels = [f"{size.middle.online:,.0f} online" for size in sizes]
    json = Series("JSON", [size.middle.json_per_server_second for size in sizes])
    html = Series("HTML cards", [size.middle.html_per_server_second for size in sizes])
    return bars("Queue pages per server CPU second", labels, [json, html], target=1000)


def _calls_picture(sizes: Sequence[Measured]) -> str:
    labels = [f"{size.middle.idle:,.0f} idle" for size in sizes]
    rate = Series("calls", [size.middle.calls_per_server_second for size in sizes])
    return bars("Whole calls per server CPU second", labels, [rate])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=("queue", "calls"))
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    # Told to stop, it still takes its servers down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if asked.name in (None, "queue"):
        plan = queue_bench.Plan(runs=asked.runs) if asked.name else BRIEF_QUEUE
        queue(plan, keep=asked.name is not None)
    if asked.name in (None, "calls"):
        calls(calls_bench.Plan(runs=asked.runs) if asked.name else BRIEF_CALLS, keep=asked.name is not None)


if __name__ == "__main__":
    main()
