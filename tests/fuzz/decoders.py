"""One file after the other in the real decoder process, held to its bounds."""

from __future__ import annotations

import os
import random
import threading
import time

import psutil

from models.profiles.decoding.processes import Crashed, DecoderProcess, OutOfTime
from tests.support.media.files import file_of

# Of one file, the start of Python included.
MOST_SECONDS, MOST_BYTES = 2.0, 300e6
GROWTH = 40 * 2**20
INTERESTING = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\1",
    b"\1\0\0\0",
    b"\xff\xff",
    b"\0",
    b"\xff",
]


class Bounds:
    """`try_one` for each file; `check` at the end."""

    def __init__(self, module: str, **request: object) -> None:
        self._module, self._request = module, request
        self.outcomes: dict[str, int] = {}
        self.most = 0
        self._before = psutil.Process().memory_info().rss

    def try_one(self, data: bytes) -> None:
        before, process = os.times(), DecoderProcess(self._module)
        watching = threading.Thread(target=self._watch, args=(process.pid,))
        watching.start()
        try:
            answer = process.ask(file_of(data), file_of(b""), self._request, 60)
            outcome = next(iter(answer))
            assert outcome in ("result", "problem", "failed"), answer
        except (OutOfTime, Crashed) as error:
            outcome = type(error).__name__
        watching.join()
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        assert used < MOST_SECONDS, (used, outcome, data[:64])
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def _watch(self, pid: int) -> None:
        """The kernel keeps the largest size: to look often enough is to see it."""
        while True:
            try:
                with open(f"/proc/{pid}/status") as file:
                    sizes = [line.split()[1] for line in file if line.startswith("VmHWM:")]
            except OSError:
                return
            if not sizes:  # it has ended
                return
            self.most = max(self.most, int(sizes[0]) * 1024)
            time.sleep(0.001)

    def check(self) -> None:
        print(self.outcomes, self.most // 2**20, "MiB")
        assert "result" in self.outcomes
        assert self.most < MOST_BYTES
        assert psutil.Process().memory_info().rss - self._before < GROWTH


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Numbers overwritten, pieces cut out, moved, doubled; the head more often than the rest."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        reach = len(out) if chance.random() < 0.3 else min(len(out), 3000)
        at = chance.randint(0, max(0, reach - 1))
        size = chance.choice((1, 4, 4, 8, 100))
        match chance.randint(0, 4):
            case 0 | 1:
                new = chance.choice(INTERESTING)
                out[at : at + len(new)] = new
            case 2:
                out[at : at + size] = chance.randbytes(size)
            case 3:
                del out[at : at + size]
            case 4:
                out[at:at] = out[at : at + size * 50] * chance.choice((1, 2, 30))
    return bytes(out[: chance.randint(1, len(out))] if chance.random() < 0.05 and out else out)
