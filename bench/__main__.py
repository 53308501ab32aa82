"""python -m bench [queue | calls | browser | relay | idle | ring] [--runs N]: measures and writes results.

A table is printed, and bench/results/ gets the figures. Without a name most benchmarks run briefly and write
nothing: a quick check, not a measurement.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from bench.benchmarks import browser, calls, idle, queue, relay, ring


class Bench(NamedTuple):
    run: Callable[..., None]
    plan: Any
    brief: Any
    """None: a brief run shows nothing, because the benchmark needs thousands of users."""


BENCHES = {
    "queue": Bench(queue.queue, queue.Plan(), queue.BRIEF),
    "calls": Bench(calls.calls, calls.Plan(), calls.BRIEF),
    "browser": Bench(browser.browser, browser.BrowserPlan(), None),
    "relay": Bench(relay.relay, relay.Plan(), relay.BRIEF),
    "idle": Bench(idle.idle, idle.Plan(), None),
    "ring": Bench(ring.rings, ring.Plan(), None),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=BENCHES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--beside", default="", help="browser: a checkout of another revision")
    asked = parser.parse_args()
    # After SIGTERM it still stops its servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if asked.name:
        bench = BENCHES[asked.name]
        more = {"beside": asked.beside} if asked.beside else {}
        bench.run(replace(bench.plan, runs=asked.runs, **more), keep=True)
        return
    for bench in BENCHES.values():
        if bench.brief is not None:
            bench.run(bench.brief, keep=False)


if __name__ == "__main__":
    main()
