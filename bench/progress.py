"""Progress on one line of the terminal; silent without a terminal."""

from __future__ import annotations

import sys

WIDTH = 30


class Progress:
    """`with Progress("calls, 500 idle", 600) as progress: progress.step()`."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._shown = -1

    def __enter__(self) -> Progress:
        self._show()
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def step(self, count: int = 1) -> None:
        self._done += count
        self._show()

    def _show(self) -> None:
        percent = 100 * self._done // max(1, self._total)
        if percent == self._shown or not sys.stderr.isatty():
            return
        self._shown = percent
        full = WIDTH * percent // 100
        bar = "#" * full + "." * (WIDTH - full)
        print(f"\r{self._label:<32} [{bar}] {percent:3d} %", end="", file=sys.stderr, flush=True)
