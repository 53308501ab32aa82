"""The parent's side of a decoder process (`models.profiles.decoding.decoder`).

Start, one request, one bounded answer, end. A process decodes one upload and is then killed, whatever it
answered, so nothing of one upload is left for the next. The answer is JSON of at most 8 KiB, never a pickle,
and the result is in a file that the parent opened.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

from models.profiles.decoding.decoder import MOST_MESSAGE

BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from models.profiles.decoding.decoder import main; main(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))"
)
OUT_OF_CPU = (-signal.SIGPROF, -signal.SIGXCPU)
CRASHED = (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGFPE, -signal.SIGILL)


class OutOfTime(Exception):
    """The upload used all of its CPU time."""


class Crashed(Exception):
    """The decoder crashed on the upload."""


class Lost(Exception):
    """The process ended for a reason unrelated to the upload; the message names it."""


class DecoderProcess:
    """One process for one request. Every method may be called from any thread."""

    def __init__(self, module: str) -> None:
        self._pipe, theirs = socket.socketpair()
        self._ending = threading.Lock()
        try:
            self._process = _start(module, theirs)
        except OSError:
            self._pipe.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, source: BinaryIO, target: BinaryIO, request: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        """Returns the answer of `models.profiles.decoding.decoder.answer` and ends the process. Blocking.

        Raises: OutOfTime, Crashed, Lost.
        """
        files = [source.fileno(), target.fileno()]
        self._pipe.settimeout(seconds)
        try:
            with contextlib.suppress(BrokenPipeError):
                socket.send_fds(self._pipe, [json.dumps(dict(request)).encode()], files)
            message = self._receive()
        except TimeoutError as error:
            raise Lost(f"no answer in {seconds:.0f} s") from error
        except OSError:
            message = b""
        finally:
            code = self.end(patience=0.5)
        return _read(message, code)

    def _receive(self) -> bytes:
        """Reads until the process ends or exceeds the limit."""
        message = b""
        # Reset: the process ended without reading its request, because it could not start.
        with contextlib.suppress(ConnectionResetError):
            while len(message) <= MOST_MESSAGE and (more := self._pipe.recv(MOST_MESSAGE)):
                message += more
        return message

    def kill(self) -> None:
        """Kills the process. The thread that waits for its answer then cleans up."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def end(self, patience: float = 0.0) -> int:
        """Ends the process, frees its resources and returns the exit code. May be called twice.

        `patience` is how many seconds a process may take to end on its own, so that its exit code has the
        reason.
        """
        with self._ending:
            self._pipe.close()
            try:
                return self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
                return self._process.wait()


def _read(message: bytes, code: int) -> dict[str, Any]:
    if message:
        try:
            answer = json.loads(message)
        except ValueError as error:
            raise Crashed("an answer that is not JSON") from error
        if not isinstance(answer, dict):
            raise Crashed("an answer that is not an object")
        return answer
    if code in OUT_OF_CPU:
        raise OutOfTime
    if code in CRASHED or code >= 0:
        raise Crashed(f"exit code {code}")
    raise Lost(f"ended by signal {-code}")


def _start(module: str, theirs: socket.socket) -> subprocess.Popen[bytes]:
    """No shell, an empty environment, and no inherited files, such as the listening sockets."""
    own = [json.dumps(sys.path), module, str(theirs.fileno()), str(os.getpid())]
    return subprocess.Popen(
        [sys.executable, "-I", "-c", BOOT, *own],
        env={},
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
