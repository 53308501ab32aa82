"""So many at a time, so many in line, and the rest is told to come back."""

from __future__ import annotations

import asyncio
import threading

import pytest

from models import decoding
from models.decoding import MOST_WAITING, THREADS, Decoding
from models.errors import Unavailable


async def test_two_work_and_the_rest_waits_or_is_refused() -> None:
    bench, gate, lock = Decoding("test"), threading.Event(), threading.Lock()
    now, most = 0, 0

    def work() -> str:
        nonlocal now, most
        with lock:
            now, most = now + 1, max(most, now + 1)
        gate.wait(10)
        with lock:
            now -= 1
        return "done"

    under_way = [asyncio.ensure_future(bench.run(work)) for _ in range(THREADS + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await bench.run(work)
    assert refused.value.retry_after == decoding.RETRY_SECONDS
    gate.set()
    assert await asyncio.gather(*under_way) == ["done"] * (THREADS + MOST_WAITING)
    assert most == THREADS
    bench.close()


async def test_nobody_waits_longer_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WAIT_SECONDS", 0.05)
    bench, gate = Decoding("test"), threading.Event()
    busy = [asyncio.ensure_future(bench.run(lambda: gate.wait(10))) for _ in range(THREADS)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await bench.run(gate.is_set)
    gate.set()
    assert await asyncio.gather(*busy) == [True] * THREADS
    assert await bench.run(gate.is_set)
    bench.close()


async def test_what_work_raises_is_raised_and_frees_its_place() -> None:
    bench = Decoding("test")
    for _ in range(THREADS + 1):
        with pytest.raises(ZeroDivisionError):
            await bench.run(lambda: 1 // 0)
    bench.close()
