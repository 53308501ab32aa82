"""Work that a cancellation of its caller does not interrupt."""

from __future__ import annotations

import asyncio

import pytest

from robots.uninterrupted import to_its_end


async def test_a_cancelled_caller_waits_for_the_end() -> None:
    may_end, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await may_end.wait()
        ended.set()

    caller = asyncio.create_task(to_its_end(work()))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_a_fault_is_the_callers() -> None:
    async def work() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await to_its_end(work())
