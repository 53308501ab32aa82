"""Work for everything that comes in the same tick of the event loop, done together.

An item that is alone in its tick goes on at once, and `work` is not run. Several items share one run, which
belongs to none of them: if one is cancelled, the others still get the answer. An error of `work` reaches all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Mapping
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
TickWork = Callable[[list[Item]], Coroutine[Any, Any, Mapping[str, Answer]]]


class _Tick(Generic[Item, Answer]):
    def __init__(self) -> None:
        self.items: dict[Hashable, Item] = {}
        self.run: asyncio.Task[Mapping[str, Answer]] | None = None


class Ticks(Generic[Item, Answer]):
    """`work` gets at most `most` items, one for each key, in order."""

    def __init__(self, work: TickWork[Item, Answer], most: int) -> None:
        self._work, self._most = work, most
        self._now: _Tick[Item, Answer] | None = None

    async def join(self, key: Hashable, item: Item) -> Mapping[str, Answer]:
        """What `work` has returned for the tick; nothing if it was not run. A second item of the same key is
        not given to `work`, but waits for it.
        """
        tick = self._now
        if tick is None or len(tick.items) >= self._most:
            tick = self._now = _Tick()
        tick.items.setdefault(key, item)
        try:
            # Every item of this tick joins before the first of them goes on.
            await asyncio.sleep(0)
        finally:
            if self._now is tick:
                self._now = None
        if len(tick.items) == 1:
            return {}
        if tick.run is None:
            tick.run = asyncio.get_running_loop().create_task(self._work(list(tick.items.values())))
        return await asyncio.shield(tick.run)
