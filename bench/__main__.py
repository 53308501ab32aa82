"""python -m bench [queue | calls | relay | idle | ring] [--runs N]: measures, prints, writes bench/results/.

Without a name most benchmarks run briefly and write nothing: a quick check, not a measurement.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from bench import calls_bench, idle_bench, queue_bench, relay_bench, ring_bench


class Bench(NamedTuple):
    run: Callable[..., None]
    plan: Any
    brief: Any
    """None: not worth a look, for it needs its thousands."""


BENCHES = {
    "queue": Bench(queue_bench.queue, queue_bench.Plan(), queue_bench.BRIEF),
    "calls": Bench(calls_bench.calls, calls_bench.Plan(), calls_bench.BRIEF),
    "relay": Bench(relay_bench.relay, relay_bench.Plan(), relay_bench.BRIEF),
    "idle": Bench(idle_bench.idle, idle_bench.Plan(), None),
    "ring": Bench(ring_bench.rings, ring_bench.Plan(), None),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHES)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    # After SIGTERM it still stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if asked.name:
        bench = BENCHES[asked.name]
        bench.run(replace(bench.plan, runs=asked.runs), keep=True)
        return
    for bench in BENCHES.values():
        if bench.brief is not None:
            bench.run(bench.brief, keep=False)


if __name__ == "__main__":
    main()
