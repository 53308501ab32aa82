"""A parent of two workers, real processes, that behave as the file MODE says when they start.

python odd_workers.py            the parent, with short limits
python odd_workers.py worker     started by the parent
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from models.processes.worker import Limits, Parent
from models.processes.workers import Workers, WorkersFailed, hear_signals

LIMITS = Limits(ready=1.5, stop=1.5, soon=0.5, pause=1.0)


def work() -> None:
    mode = Path(os.environ["MODE"]).read_text()
    hear_signals()
    parent = Parent(os.environ, LIMITS.stop)
    if mode == "crash":
        sys.exit(3)
    if mode == "deaf":
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
    if mode != "never ready":
        parent.tell_ready()
    threading.Event().wait()


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    try:
        Workers(2, os.environ, [], LIMITS).run("is up")
    except WorkersFailed as failed:
        print(failed, flush=True)
        return 2
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(work() if sys.argv[1:] == ["worker"] else main())
