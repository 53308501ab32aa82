"""The child process that decodes one upload under resource limits and exits.

Started by `models.profiles.decoding.processes` with an empty environment and no inherited file but one end of
a socket pair. It imports its decoder first and then waits for a request, so that a process started in advance
answers without delay. The request is a JSON object with two open files: the upload, and an empty file for the
result. The answer is one JSON object of at most 8 KiB.

Limits from the arrival of the request: memory (RLIMIT_DATA; RLIMIT_AS for mappings that it does not count),
CPU time (a profiling timer, which ends the process even inside a library call; RLIMIT_CPU as a backup), the
size of the result (RLIMIT_FSIZE), no core dump.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from models.errors import Problem, is_disk_full

MEGABYTE = 1024 * 1024
# For the whole life of the process, including its start.
CPU_SECONDS = 1.9
MOST_MEMORY = 285 * MEGABYTE
# Of these, pages of libraries that are loaded for one request; and the address space that those take.
LIBRARY_PAGES, LIBRARY_SPACE = 15 * MEGABYTE, 110 * MEGABYTE
MOST_RESULT = 64 * MEGABYTE
MOST_MESSAGE = 8192
# Calls have priority.
NICENESS = 15
PR_SET_PDEATHSIG = 1
DAMAGED, MEMORY, DISK = "damaged", "memory", "disk"
# The modules that do the work, imported only in the child process.
PICTURE, VIDEO = "models.profiles.decoding.pictures", "models.profiles.decoding.video_remux"
DecoderWork = Callable[[BinaryIO, BinaryIO, dict[str, Any]], dict[str, Any]]


def main(module: str, descriptor: int, parent: int) -> None:
    """Answers one request. Ends without an answer when the parent process ends."""
    _die_with(parent)
    os.nice(NICENESS)
    with socket.socket(fileno=descriptor) as pipe:
        try:
            work: DecoderWork = importlib.import_module(module).work
        except Exception as error:  # a library is missing or broken: the operator can fix it
            pipe.sendall(_line({"fault": f"{type(error).__name__}: {error}"}))
            return
        message, descriptors, *_ = socket.recv_fds(pipe, MOST_MESSAGE, 2)
        if not message:
            return
        _limit()
        with os.fdopen(descriptors[0], "rb") as source, os.fdopen(descriptors[1], "w+b", 0) as target:
            pipe.sendall(_line(answer(work, source, target, json.loads(message))))


def answer(work: DecoderWork, source: BinaryIO, target: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    """`result` with what `work` returned, `problem` for a refusal, or `failed` for any other exception."""
    try:
        return {"result": work(source, target, request)}
    except Problem as problem:
        return {"problem": problem.code, "message": problem.message}
    except MemoryError as error:
        return {"failed": MEMORY, "detail": str(error)}
    except Exception as error:  # decoders raise many kinds for a damaged file
        kind = DISK if is_disk_full(error) else DAMAGED
        return {"failed": kind, "detail": f"{type(error).__name__}: {error}"[:200]}


def cpu_left() -> float:
    """Seconds of CPU time before the process is ended."""
    return CPU_SECONDS - time.process_time()


def _line(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _limit() -> None:
    size, data, resident = _memory()
    more = max(0, MOST_MEMORY - LIBRARY_PAGES - resident)
    resource.setrlimit(resource.RLIMIT_DATA, (data + more, data + more))
    resource.setrlimit(resource.RLIMIT_AS, (size + more + LIBRARY_SPACE, size + more + LIBRARY_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_RESULT, MOST_RESULT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
    signal.setitimer(signal.ITIMER_PROF, max(0.1, cpu_left()))


def _memory() -> tuple[int, int, int]:
    """Bytes of address space, of private data and of resident memory (proc(5)); an estimate on other systems
    than Linux.
    """
    if sys.platform != "linux":
        return 400 * MEGABYTE, 100 * MEGABYTE, 40 * MEGABYTE
    with open("/proc/self/statm", "rb") as file:
        size, resident, _, _, _, data, _ = (int(number) for number in file.read().split())
    page = os.sysconf("SC_PAGE_SIZE")
    return size * page, data * page, resident * page


def _die_with(parent: int) -> None:
    """On Linux, makes the kernel end this process when its parent ends (prctl(2)), even while it decodes."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
