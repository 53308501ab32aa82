"""Draining waits for requests being answered, and for nothing else."""

from __future__ import annotations

import asyncio

from handlers.http.draining import OpenRequests


async def test_a_drain_without_requests_ends_at_once() -> None:
    requests = OpenRequests()
    await requests.drained()
    assert requests.is_draining


async def test_a_drain_waits_for_the_last_answer() -> None:
    requests = OpenRequests()
    requests.began()
    requests.began()
    drain = asyncio.create_task(requests.drained())
    await asyncio.sleep(0)
    requests.ended()
    await asyncio.sleep(0)
    assert not drain.done()
    requests.ended()
    await drain
