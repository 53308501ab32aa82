"""Workers that hang, crash or ignore signals: the parent continues, reports it and stops in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.support.faults import odd_workers
from tests.support.faults.odd_workers import LIMITS

PROGRAM = Path(odd_workers.__file__)
SECONDS = 60.0


class Odd:
    def __init__(self, home: Path) -> None:
        self.mode, self.log = home / "mode", home / "log"

    def start(self, mode: str = "good") -> None:
        self.mode.write_text(mode)
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "MODE": str(self.mode)}
        with self.log.open("wb") as log:
            command = [sys.executable, str(PROGRAM)]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def up(self) -> set[int]:
        wait_for(lambda: "is up" in self.said())
        return self.workers()

    def said(self) -> str:
        return self.log.read_text()

    def workers(self) -> set[int]:
        return {child.pid for child in psutil.Process(self.process.pid).children() if _lives(child)}

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, *, within: float = LIMITS.stop + 8) -> None:
        """By SIGTERM; no process is left, and every message was meant for the operator."""
        workers = self.workers()
        self.signal(signal.SIGTERM)
        assert self.process.wait(within) == 0
        assert not any(map(psutil.pid_exists, workers))
        assert "Traceback" not in self.said()


def _lives(child: psutil.Process) -> bool:
    """Not when it has ended since it was listed, or waits to be reaped."""
    try:
        return bool(child.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_for(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Odd]:
    odd = Odd(tmp_path)
    yield odd
    if odd.process.poll() is None:
        for child in psutil.Process(odd.process.pid).children():
            child.kill()
        odd.process.kill()
    odd.process.wait()


@pytest.mark.parametrize("mode", ["never ready", "crash"])
def test_a_new_worker_that_does_not_become_ready_leaves_the_old_ones(odd: Odd, mode: str) -> None:
    odd.start()
    old = odd.up()
    odd.mode.write_text(mode)
    odd.signal(signal.SIGHUP)
    wait_for(lambda: "did not become ready; the old ones stay" in odd.said())
    assert odd.workers() == old
    # The parent still handles signals: the next rolling restart works.
    odd.mode.write_text("good")
    odd.signal(signal.SIGHUP)
    wait_for(lambda: len(odd.workers()) == 2 and not odd.workers() & old)
    odd.stop()


def test_a_hanging_old_worker_is_killed_by_a_rolling_restart(odd: Odd) -> None:
    odd.start()
    old = odd.up()
    os.kill(min(old), signal.SIGSTOP)
    odd.signal(signal.SIGHUP)
    wait_for(lambda: len(odd.workers()) == 2 and not odd.workers() & old)
    assert "did not stop in time" in odd.said()
    odd.stop()


@pytest.mark.parametrize("how", ["stopped", "deaf", "while one is replaced", "while one starts again"])
def test_a_stop_does_not_wait_for_a_hanging_worker(odd: Odd, how: str) -> None:
    odd.start("deaf" if how == "deaf" else "good")
    workers = odd.up()
    if how == "stopped":
        os.kill(min(workers), signal.SIGSTOP)
    if how.startswith("while"):
        odd.mode.write_text("never ready")
        if how.endswith("replaced"):
            odd.signal(signal.SIGHUP)
            wait_for(lambda: len(odd.workers()) == 3)
        else:
            os.kill(min(workers), signal.SIGKILL)
            wait_for(lambda: len(odd.workers() - {min(workers)}) == 2)
    odd.stop()


@pytest.mark.parametrize(
    ("mode", "says"), [("never ready", "did not become ready"), ("crash", "could not start")]
)
def test_first_workers_that_do_not_become_ready_end_the_start(odd: Odd, mode: str, says: str) -> None:
    odd.start(mode)
    assert odd.process.wait(SECONDS) == 2
    assert says in odd.said()
    assert "Traceback" not in odd.said()


def test_a_stop_while_the_first_workers_start(odd: Odd) -> None:
    odd.start("never ready")
    wait_for(lambda: len(odd.workers()) == 2)
    odd.stop()


def test_a_worker_that_crashes_at_its_start_is_restarted_with_pauses(odd: Odd) -> None:
    odd.start()
    workers = odd.up()
    odd.mode.write_text("crash")
    os.kill(min(workers), signal.SIGKILL)
    wait_for(lambda: "right after its start, 3 in a row" in odd.said())
    assert max(workers) in odd.workers()
    odd.mode.write_text("good")
    wait_for(lambda: len(odd.workers()) == 2)
    odd.stop()


def test_a_second_sigterm_changes_nothing(odd: Odd) -> None:
    odd.start("deaf")
    odd.up()
    odd.signal(signal.SIGTERM)
    odd.stop()
    assert odd.said().count("did not stop in time") == 2


def test_a_second_ctrl_c_ends_it_at_once(odd: Odd) -> None:
    odd.start("deaf")
    odd.up()
    while odd.process.poll() is None:
        odd.signal(signal.SIGINT)
        time.sleep(0.02)
    # The last signal may have reached an interpreter that is already shutting down.
    assert odd.process.returncode in (0, -signal.SIGINT)
    assert "did not stop in time" not in odd.said()


def test_hanging_workers_end_with_their_parent(odd: Odd) -> None:
    odd.start("deaf")
    workers = odd.up()
    odd.process.kill()
    odd.process.wait()
    wait_for(lambda: not any(map(psutil.pid_exists, workers)))
