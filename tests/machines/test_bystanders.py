"""The meter of bystanders detects a stalled process."""

from __future__ import annotations

import asyncio
import time

import psutil
import pytest

from tests.machines.actors.bystanders import beside
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.scenes import until

pytestmark = pytest.mark.prove


async def test_a_stalled_process_is_detected(machines: Machines, people: People) -> None:
    a, b = await people(2)
    await asyncio.gather(a.arrive(machines.one.url), b.arrive(machines.one.url))
    meter = await beside(stand_still(machines.one.pid, 0.5), machines.one, a, b)
    assert max(meter.messages) > 300
    assert max(meter.pages) > 300


async def stand_still(pid: int, seconds: float) -> None:
    began, process = time.monotonic(), psutil.Process(pid)
    process.suspend()
    try:
        await until(lambda: time.monotonic() > began + seconds, 2 * seconds)
    finally:
        process.resume()
    await until(lambda: time.monotonic() > began + 2 * seconds)
