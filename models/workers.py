"""Several processes of one site on one port: `WORKERS=N`.

The parent holds the listening socket, the embedded servers and nothing else; each worker is this program
again, with the socket
handed down, so that a worker that goes leaves no connection behind in a queue of its own. A worker that dies
is started again;
SIGHUP replaces them one after the other (a rolling restart); SIGTERM and SIGINT drain them all.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

logger = logging.getLogger(__name__)
READY = b"ready\n"
READY_SECONDS = 30.0
STOP_SECONDS = 22.0
# A worker that dies sooner than this after its start is not started again at once.
SOON_SECONDS = 2.0
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


def hold_replacing() -> None:
    """Before any thread begins: SIGHUP, which would end one, waits until `Workers.run` asks for it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def hear_signals() -> None:
    """The first thing a worker does."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


class Worker:
    """One child; `is_ready` waits until it serves."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]
    ) -> None:
        self.started_at = time.monotonic()
        reading, writing = os.pipe()
        # The child ends when this one closes, as it does with us, however we end.
        living, self._lifeline = os.pipe()
        self._told = os.fdopen(reading, "rb", buffering=0)
        self.process = subprocess.Popen(
            [*command],
            env=dict(environment) | {"NAPALM_READY_FD": str(writing), "NAPALM_LIFE_FD": str(living)},
            pass_fds=[*descriptors, writing, living],
            start_new_session=True,
        )
        os.close(writing)
        os.close(living)

    def is_ready(self) -> bool:
        """False when it ended before it served."""
        with self._told:
            return self._told.read(len(READY)) == READY

    def ask_to_stop(self, number: signal.Signals) -> None:
        """SIGTERM leaves a load balancer time to notice; SIGINT does not: another serves on the port."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, deadline: float) -> None:
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("a worker did not stop in time", extra={"pid": self.process.pid})
            self.process.kill()
            self.process.wait()
        os.close(self._lifeline)


class Workers:
    def __init__(self, count: int, environment: Mapping[str, str], descriptors: Sequence[int]) -> None:
        self._count = count
        self._command = [sys.executable, sys.argv[0], "worker"]
        listening = ",".join(map(str, descriptors))
        self._environment = dict(environment) | {"NAPALM_LISTEN_FDS": listening}
        self._descriptors = descriptors
        self._workers: list[Worker] = []

    def run(self, on_ready: str) -> None:
        """Until SIGTERM or SIGINT. Raises RuntimeError when the first workers do not come up."""
        # Signals wait to be asked for; a worker inherits that, and lets them through again (`hear_signals`).
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        try:
            self._workers = [self._start() for _ in range(self._count)]
            if not all(worker.is_ready() for worker in self._workers):
                raise RuntimeError("a worker could not start; its reason stands above")
            print(on_ready, flush=True)
            self._watch()
        finally:
            self._stop(self._workers, signal.SIGTERM)

    def _start(self) -> Worker:
        return Worker(self._command, self._environment, self._descriptors)

    def _watch(self) -> None:
        while True:
            number = signal.sigwait(WATCHED)
            if number in (signal.SIGTERM, signal.SIGINT):
                return
            if number == signal.SIGHUP:
                self._replace_all()
            self._revive()

    def _revive(self) -> None:
        for at, worker in enumerate(self._workers):
            code = worker.process.poll()
            if code is None:
                continue
            logger.error("a worker has ended", extra={"pid": worker.process.pid, "code": code})
            worker.wait(time.monotonic())
            time.sleep(max(0.0, SOON_SECONDS - (time.monotonic() - worker.started_at)))
            self._workers[at] = self._start()

    def _replace_all(self) -> None:
        """The new one serves before the old one is asked to go."""
        for at, old in enumerate(self._workers):
            new = self._start()
            if not new.is_ready():
                logger.error("a new worker could not start; the old ones stay")
                return
            self._workers[at] = new
            self._stop([old], signal.SIGINT)

    @staticmethod
    def _stop(workers: Sequence[Worker], number: signal.Signals) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for worker in workers:
            worker.ask_to_stop(number)
        for worker in workers:
            worker.wait(deadline)
