"""The process of the robots (`python -m robots`), restarted when it ends, as long as the site runs.

Its plan, which has the robots' tokens, is written to its standard input; it gets no setting of the site. It
ends when that pipe closes, however this process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = [sys.executable, "-m", "robots"]
PAUSE_SECONDS = 3.0
STOP_SECONDS = 5.0
# Longer than every step of the call together may take in practice.
PROBE_SECONDS = 75.0
# What a Python process needs; no secret is among them.
HANDED_DOWN = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "PYTHONDONTWRITEBYTECODE")


class ProbeFailed(Exception):
    """The process of the call ended, or took too long, without a result."""


def has_robots() -> bool:
    """Whether the libraries of requirements-demo.txt and the robots themselves are installed."""
    return all(importlib.util.find_spec(name) for name in ("aiortc", "robots"))


def start(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A new process that waits for its plan. Its log goes where ours goes."""
    return subprocess.Popen(COMMAND, cwd=ROOT, env=_handed_down(environment), stdin=subprocess.PIPE)


def _handed_down(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in HANDED_DOWN if name in environment}


async def run_probe(
    plan: Mapping[str, object], environment: Mapping[str, str], seconds: float = PROBE_SECONDS
) -> dict[str, Any]:
    """The result of one call between two robots (`robots.probe`). Raises: ProbeFailed."""
    child = await asyncio.create_subprocess_exec(
        *COMMAND, cwd=ROOT, env=_handed_down(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            child.stdin.write(json.dumps(plan).encode() + b"\n")
            line = await child.stdout.readline()
        found: dict[str, Any] = json.loads(line)
        return found
    except (TimeoutError, ValueError, OSError) as error:
        raise ProbeFailed from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


@contextlib.contextmanager
def robots_process(plan: Mapping[str, object], environment: Mapping[str, str]) -> Iterator[None]:
    """Runs as long as the block."""
    keeper = _Keeper(json.dumps(plan).encode() + b"\n", environment)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    def __init__(self, line: bytes, environment: Mapping[str, str]) -> None:
        super().__init__(name="robots", daemon=True)
        self._line, self._environment = line, environment
        # Held while a child starts, so that `stop` sees either none or all of it.
        self._starting = threading.Lock()
        self._is_over = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        while (child := self._next_child()) is not None:
            code = child.wait()
            _close_input(child)
            if not self._is_over.wait(PAUSE_SECONDS):
                logger.warning("the robots have ended and are started again", extra={"code": code})

    def _next_child(self) -> subprocess.Popen[bytes] | None:
        """A new child with its plan; None once `stop` was called."""
        with self._starting:
            if self._is_over.is_set():
                return None
            self._child = child = start(self._environment)
            assert child.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(self._line)
                child.stdin.flush()
            return child

    def stop(self) -> None:
        self._is_over.set()
        with self._starting:
            child = self._child
        if child is None:
            return
        _close_input(child)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _close_input(child: subprocess.Popen[bytes]) -> None:
    """The end of its input is its sign to end."""
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()
