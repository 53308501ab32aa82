"""Several processes of one site on one port: `WORKERS=N`.

The parent holds only the listening socket and the embedded servers. Each worker is this program again and
inherits the socket, so that no connection is lost in the queue of a worker that ends. A worker that ends is
restarted, after a growing pause if it ended right after its start. SIGHUP replaces them one after the other
(a rolling restart) and gives up on a new worker that does not become ready; SIGTERM and SIGINT drain them
all, and a second SIGINT kills them. A hanging worker does not delay this.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.processes.worker import Limits, Worker

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.1
WATCHED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}


class WorkersFailed(Exception):
    """The site could not start; the message is for the operator."""


class _Stopped(Exception):
    """SIGTERM or SIGINT."""


def hold_replacing() -> None:
    """Call before any thread starts: blocks SIGHUP, which would end the process, until `Workers.run` handles
    it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


def exit_on_signals() -> None:
    """Before the event loop runs, SIGTERM and SIGHUP exit in the ordinary way, so that everything started is
    stopped.
    """

    def leave(*_: object) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def hear_signals() -> None:
    """Restores the signal handling; the first thing a worker does."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


@dataclass
class WorkerSlot:
    """The slot of one worker of N, and how often in a row it ended right after its start."""

    worker: Worker | None = None
    failures: int = 0
    again_at: float = 0.0


class Workers:
    def __init__(
        self,
        count: int,
        environment: Mapping[str, str],
        descriptors: Sequence[int],
        limits: Limits | None = None,
    ) -> None:
        self._places = [WorkerSlot() for _ in range(count)]
        self._command = [sys.executable, sys.argv[0], "worker"]
        listening = ",".join(map(str, descriptors))
        self._environment = dict(environment) | {"NAPALM_LISTEN_FDS": listening}
        self._descriptors = descriptors
        self._limits = limits or Limits()
        self._new: Worker | None = None
        self._to_replace: list[Worker] = []
        self._leaving: list[Worker] = []
        self._signals = -1

    def run(self, on_ready: str) -> None:
        """Runs until SIGTERM or SIGINT. Raises: WorkersFailed, if the first workers do not become ready."""
        with self._hearing():
            try:
                self._start_all()
                print(on_ready, flush=True)
                while True:
                    self._hear()
                    self._revive()
                    self._roll()
            except _Stopped:
                pass
            finally:
                self._stop_all()

    # -- signals --

    @contextlib.contextmanager
    def _hearing(self) -> Iterator[None]:
        """Receives signals through a pipe, whichever thread the system delivers them to."""
        self._signals, writing = os.pipe()
        for end in (self._signals, writing):
            os.set_blocking(end, False)
        before = {number: signal.signal(number, lambda *_: None) for number in WATCHED}
        previous = signal.set_wakeup_fd(writing)
        hear_signals()
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(writing)
            os.close(self._signals)

    def _hear(self) -> None:
        """Waits briefly. Raises: _Stopped."""
        heard = self._heard()
        if {signal.SIGTERM, signal.SIGINT} & heard:
            raise _Stopped
        if signal.SIGHUP in heard:
            self._to_replace = [place.worker for place in self._places if place.worker]

    def _heard(self) -> set[int]:
        select.select([self._signals], [], [], LOOK_SECONDS)
        try:
            return set(os.read(self._signals, 1000))
        except BlockingIOError:
            return set()

    # -- workers --

    def _start(self) -> Worker:
        return Worker(self._command, self._environment, self._descriptors, self._limits)

    def _start_all(self) -> None:
        for place in self._places:
            place.worker = self._start()
        workers = [place.worker for place in self._places if place.worker]
        while not all(worker.is_ready for worker in workers):
            self._hear()
            for worker in workers:
                worker.look()
                if not worker.is_running:
                    raise WorkersFailed("A worker could not start. See the reason above.")
                if worker.is_late:
                    seconds = round(self._limits.ready)
                    raise WorkersFailed(f"A worker did not become ready within {seconds} seconds.")

    def _revive(self) -> None:
        for place in self._places:
            if place.worker is not None:
                self._look_at(place, place.worker)
            elif time.monotonic() >= place.again_at:
                place.worker = self._start()

    def _look_at(self, place: WorkerSlot, worker: Worker) -> None:
        worker.look()
        if worker.is_late:
            logger.error("a worker did not become ready and is killed", extra={"pid": worker.process.pid})
            worker.kill()
        if worker.is_running:
            return
        place.failures = place.failures + 1 if worker.ended_soon else 0
        pause = min(self._limits.pause, self._limits.soon * 2**place.failures / 2) if place.failures else 0.0
        facts = {"pid": worker.process.pid, "code": worker.process.returncode, "again_in_seconds": pause}
        logger.error("a worker has ended%s", self._how_often(place), extra=facts)
        worker.close()
        place.worker, place.again_at = None, time.monotonic() + pause

    @staticmethod
    def _how_often(place: WorkerSlot) -> str:
        return f" right after its start, {place.failures} in a row" if place.failures else ""

    def _roll(self) -> None:
        """One step of a rolling restart: the new worker is ready before the old one is stopped."""
        self._leaving = [worker for worker in self._leaving if not self._has_left(worker)]
        if self._new is not None:
            self._look_at_new(self._new)
        elif not self._leaving and self._old() is not None:
            self._new = self._start()

    def _old(self) -> WorkerSlot | None:
        """The slot of the next worker to replace; one that has ended since then was restarted already."""
        return next((place for place in self._places if place.worker in self._to_replace), None)

    def _look_at_new(self, new: Worker) -> None:
        new.look()
        place = self._old()
        if new.is_ready and place is not None and place.worker is not None:
            old, place.worker, place.failures = place.worker, new, 0
            self._new = None
            self._to_replace.remove(old)
            old.ask_to_stop(signal.SIGINT)
            self._leaving.append(old)
        elif new.is_late or not new.is_running or place is None:
            self._give_up(new, is_failure=place is not None)

    def _give_up(self, new: Worker, *, is_failure: bool) -> None:
        if is_failure:
            facts = {"pid": new.process.pid, "code": new.process.returncode}
            logger.error("a new worker did not become ready; the old ones stay", extra=facts)
            self._to_replace.clear()
        new.kill()
        new.close()
        self._new = None

    @staticmethod
    def _has_left(worker: Worker) -> bool:
        if not worker.has_left():
            return False
        worker.close()
        return True

    # -- the end --

    def _stop_all(self) -> None:
        """Drains all workers. A second SIGINT kills them."""
        workers = [place.worker for place in self._places if place.worker]
        workers += [*([self._new] if self._new else []), *self._leaving]
        for worker in workers:
            worker.ask_to_stop(signal.SIGTERM)
        while workers:
            workers = [worker for worker in workers if not self._has_left(worker)]
            if workers and signal.SIGINT in self._heard():
                for worker in workers:
                    worker.kill()
