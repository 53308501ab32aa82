"""A server that runs as a child of this process: started, ready, watched, stopped.

A stop ends within its deadline, cleanly if the server manages it. A server that was left running by a killed
process is identified by its program and its working directory, and stopped before a new one starts. No other
process is ever signalled: a pid in a file alone proves nothing, because pids are reused.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

import psutil

from models.processes.data_directory import ADVICE, DataDirectory, EmbeddedError

LEFTOVER_SECONDS = 4.0
KILL_SECONDS = 0.5


class Server(ABC):
    """Call `start`, `wait_ready`, `is_alive`, then `ask_to_stop` and `wait_stopped`."""

    title: str
    program: str
    # The setting that turns it on, if it is not one of the two that the site cannot do without.
    setting: str | None = None
    advice = ADVICE
    # The site runs without it if it does not start.
    is_optional = False
    # The kernel stops it when we are killed: it would keep the ports that the next start needs.
    ends_with_us = False
    gentle: signal.Signals
    harsh: signal.Signals

    def __init__(self, place: DataDirectory) -> None:
        self.place = place
        self._child: subprocess.Popen[bytes] | None = None
        self._reported_to = 0
        # Optional, and it did not start.
        self.is_left_out = False
        # Why it was stopped in order to start again; empty: it died.
        self.restart_reason = ""

    @property
    @abstractmethod
    def home(self) -> Path:
        """The data directory, which is also the working directory."""

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL for clients."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command that starts the server."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it accepts clients."""

    @abstractmethod
    def remains(self) -> list[Path]:
        """Files left by a killed server that would stop the next one from starting."""

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Open files that it inherits."""
        return ()

    def complaint(self, line: str) -> str | None:
        """A line of its log, as far as it is for our log as well."""
        return None

    def refresh(self) -> None:  # noqa: B027
        """Called several times a second while it runs."""

    def prepare(self) -> None:
        """Prepares the directory for the server."""
        self.place.directory(self.home)

    @property
    def log(self) -> Path:
        return self.place.data / f"{self.program}.log"

    @property
    def pid(self) -> int:
        return self._child.pid if self._child else 0

    def start(self) -> None:
        """Raises: EmbeddedError, if it cannot be run at all; `wait_ready` waits until it is ready."""
        self.end_leftovers()
        self.prepare()
        self._reported_to = self.log.stat().st_size if self.log.exists() else 0
        try:
            self._child = self.place.popen(self._tied(), self.home, self.log, self.descriptors)
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedError(
                f"The built-in {self.title} cannot be run ({error}). {self.advice}"
            ) from error

    def _tied(self) -> list[str]:
        """The command, by way of setpriv (util-linux) if it must end with us (prctl(2), PR_SET_PDEATHSIG)."""
        setpriv = shutil.which("setpriv") if self.ends_with_us else None
        return [*([setpriv, "--pdeathsig", "TERM"] if setpriv else []), *self.command()]

    def is_alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def wait_ready(self, seconds: float) -> None:
        """Waits until it answers. Raises: EmbeddedError with the end of its log, if it exits or takes too
        long.
        """
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            if not self.is_alive() or time.monotonic() > deadline:
                reason = f"The built-in {self.title} did not start. {self.advice}"
                raise EmbeddedError(f"{reason}\nIts log ({self.log}) ends so:\n{self.last_words()}")
            time.sleep(0.01)

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])

    def complaints(self) -> list[str]:
        """The complaints since the last call."""
        if self.setting is None:
            return []
        with self.log.open("rb") as log:
            # It was truncated because it had grown too long.
            log.seek(self._reported_to if self._reported_to <= log.seek(0, os.SEEK_END) else 0)
            new = log.read().rpartition(b"\n")[0]
        self._reported_to += len(new) + 1 if new else 0
        lines = new.decode(errors="replace").splitlines()
        return [text for line in lines if (text := self.complaint(line))]

    def ask_to_stop(self) -> None:
        if self._child and self.is_alive():
            self._child.send_signal(self.gentle)

    def wait_stopped(self, deadline: float) -> None:
        """Waits for its end; at the deadline (monotonic) it is killed. PostgreSQL recovers from that."""
        if self._child is None:
            return
        for force in (self.harsh, signal.SIGKILL):
            try:
                self._child.wait(max(KILL_SECONDS / 10, deadline - time.monotonic()))
                return
            except subprocess.TimeoutExpired:
                self._child.send_signal(force)
                deadline = time.monotonic() + KILL_SECONDS
        self._child.wait()

    def end_leftovers(self) -> None:
        """Ends servers of a dead parent. The caller holds the directory's lock, so no other parent is
        alive.
        """
        left = self._leftovers()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                if process.ppid() not in {other.pid for other in left}:
                    process.send_signal(self.gentle)
        for stubborn in psutil.wait_procs(left, timeout=LEFTOVER_SECONDS)[1]:
            with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
                stubborn.kill()
                stubborn.wait(KILL_SECONDS)
        for path in self.remains():
            path.unlink(missing_ok=True)

    def _leftovers(self) -> list[psutil.Process]:
        named = [each for each in psutil.process_iter(["name"]) if each.info["name"] == self.program]
        return [each for each in named if each.pid != self.pid and _works_in(each, self.home)]


def _works_in(process: psutil.Process, home: Path) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(home))
    except (psutil.Error, OSError):
        return False
