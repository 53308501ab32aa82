"""The same work for many, a few at a time: it takes only a part of the connections that others wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import TypeVar

One = TypeVar("One")


async def few_at_once(ones: Iterable[One], at_once: int, work: Callable[[One], Awaitable[object]]) -> None:
    """Returns when all have been tried that could be: a failure stops its own line of work, and is raised
    when the other lines have come to their end.
    """
    left = iter(ones)
    lines = (_line(left, work) for _ in range(at_once))
    for failure in await asyncio.gather(*lines, return_exceptions=True):
        if failure is not None:
            raise failure


async def _line(left: Iterator[One], work: Callable[[One], Awaitable[object]]) -> None:
    for one in left:
        await work(one)
