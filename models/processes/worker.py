"""A worker of `models.processes.workers`: a child process that reports when it is ready.

It ends with its parent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

logger = logging.getLogger(__name__)
READY = b"ready\n"


@dataclass(frozen=True)
class Limits:
    """In seconds: until a new worker is ready, until a stopping one has ended (a drain takes ten), how long
    after its start an end counts as early, and the longest pause before a restart.
    """

    ready: float = 30.0
    stop: float = 12.0
    soon: float = 2.0
    pause: float = 30.0


class Parent:
    """In a worker: the process that started it."""

    def __init__(self, environment: Mapping[str, str], stop_seconds: float = Limits.stop) -> None:
        self._stop_seconds = stop_seconds
        self._ready_fd = int(environment["NAPALM_READY_FD"])
        # Closes with the parent, however that ends.
        self.life = int(environment["NAPALM_LIFE_FD"])
        threading.Thread(target=self._watch, name="life of the parent", daemon=True).start()

    def tell_ready(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._ready_fd, READY)
        os.close(self._ready_fd)

    def _watch(self) -> None:
        """Drains when the parent has died; if the drain hangs, this thread ends the process."""
        select.select([self.life], [], [])
        threading.Event().wait(self._stop_seconds)
        os._exit(1)


class Worker:
    """A child process."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        descriptors: Sequence[int],
        limits: Limits,
    ) -> None:
        self._limits = limits
        self.started_at = time.monotonic()
        self.is_ready = False
        self.leaves_until = 0.0
        reading, writing = os.pipe()
        # The child ends when this pipe closes, which happens however we end.
        living, self._lifeline = os.pipe()
        self.told = os.fdopen(reading, "rb", buffering=0)
        os.set_blocking(reading, False)
        self.process = subprocess.Popen(
            [*command],
            env=dict(environment) | {"NAPALM_READY_FD": str(writing), "NAPALM_LIFE_FD": str(living)},
            pass_fds=[*descriptors, writing, living],
            start_new_session=True,
        )
        os.close(writing)
        os.close(living)

    def look(self) -> None:
        """Whether it has reported that it is ready."""
        self.is_ready = self.is_ready or self.told.read(len(READY)) == READY

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def is_late(self) -> bool:
        return not self.is_ready and time.monotonic() - self.started_at > self._limits.ready

    @property
    def ended_soon(self) -> bool:
        return not self.is_ready or time.monotonic() - self.started_at < self._limits.soon

    def ask_to_stop(self, number: signal.Signals) -> None:
        """SIGTERM leaves a load balancer time to notice; SIGINT does not, since another worker serves on the
        port.
        """
        self.leaves_until = time.monotonic() + self._limits.stop
        if self.is_running:
            self.process.send_signal(number)

    def has_left(self) -> bool:
        """Whether it has ended. At its deadline it is killed."""
        if self.is_running and time.monotonic() >= self.leaves_until:
            logger.warning("a worker did not stop in time and is killed", extra={"pid": self.process.pid})
            self.kill()
        return not self.is_running

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.told.close()
        os.close(self._lifeline)
