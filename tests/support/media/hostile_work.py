"""What a decoder could do to its process; tests run it in a real one (`models.profiles.decoding.decoder`)."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Any, BinaryIO

from models.profiles.decoding import decoder


def work(_source: BinaryIO, _target: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    return globals()[request["work"]]() or {}


def nothing() -> None:
    pass


def odd() -> None:
    raise ZeroDivisionError


def spin() -> None:
    """Loops even where Python catches every exception."""
    while True:
        sum(range(1000))


def crash() -> None:
    ctypes.string_at(0)


def leave() -> None:
    os._exit(0)


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def chatter() -> dict[str, Any]:
    return {"words": "a" * 100 * decoder.MOST_MESSAGE}


def sleep() -> None:
    while True:
        time.sleep(1)


def grow() -> None:
    """Touches every page."""
    kept = []
    try:
        while True:
            kept.append(bytearray(b"x") * 1_000_000)
    except MemoryError:
        kept.clear()
        raise MostMemory(most_memory_kib()) from None


def most_memory_kib() -> int:
    """The peak of this program. `ru_maxrss` is inherited from the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


class MostMemory(MemoryError):
    pass
