"""The same work for many items, a few at a time, so that connections are left for other callers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

One = TypeVar("One")


async def bounded_gather(ones: Iterable[One], at_once: int, work: Callable[[One], Awaitable[object]]) -> None:
    """Runs `work` for each item in `at_once` lanes, and returns when all lanes have ended. A failure stops
    its own lane and is raised at the end.
    """
    left = iter(ones)
    lanes = (_lane(left, work) for _ in range(at_once))
    for failure in await asyncio.gather(*lanes, return_exceptions=True):
        if failure is not None:
            raise failure


async def _lane(left: Iterator[One], work: Callable[[One], Awaitable[object]]) -> None:
    for one in left:
        await work(one)
