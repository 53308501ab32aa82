"""Every socket of this process is told its state again after news may have been lost.

Requests that come together are one reload. Seats come before invite sockets: a seat that was taken for empty
has a grace, and it runs. A socket for which a server is away is tried again until it has been told; one for
which there is nothing any more is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from handlers.realtime.sockets import Refusable
from models.errors import Problem, Unavailable
from models.retry import persist
from models.supervise import Tasks

logger = logging.getLogger(__name__)
AT_ONCE = 8
AGAIN_SECONDS = 0.5
Work = Callable[[], Awaitable[None]]
Told = tuple[Refusable, Work]


class Reloads:
    """`everyone` gives all sockets with what each has to do; `announce` puts them on the list of a Redis
    that may have lost them; `catch_up` learns who has left the queue.
    """

    def __init__(self, everyone: Callable[[], list[Told]], announce: Work, catch_up: Work) -> None:
        self._everyone, self._announce, self._catch_up = everyone, announce, catch_up
        self._requested = asyncio.Event()
        self._is_to_announce = False
        self._tasks = Tasks()

    def start(self) -> None:
        self._tasks.repeat("the reload of all sockets", self._round, 0.0)

    async def stop(self) -> None:
        await self._tasks.stop()

    def request(self, *, announce: bool = False) -> None:
        """A reload that begins after this moment; with `announce`, Redis is told every socket first."""
        self._is_to_announce |= announce
        self._requested.set()

    async def _round(self) -> None:
        await self._requested.wait()
        self._requested.clear()
        try:
            if self._is_to_announce:
                await self._announce()
                self._is_to_announce = False
            await self._catch_up()
            await self._tell_all()
        except BaseException:
            self._requested.set()
            raise

    async def _tell_all(self) -> None:
        left = self._everyone()
        while left:
            left = [one for few in _in_groups(left) for one in await _tell(few)]
            if left:
                await asyncio.sleep(AGAIN_SECONDS)


def _in_groups(told: list[Told]) -> Iterable[list[Told]]:
    return (told[at : at + AT_ONCE] for at in range(0, len(told), AT_ONCE))


async def _tell(few: list[Told]) -> list[Told]:
    """Those for which a server was away."""
    done = await asyncio.gather(*(_is_told(*one) for one in few))
    return [one for one, is_told in zip(few, done, strict=True) if not is_told]


async def _is_told(socket: Refusable, work: Work) -> bool:
    try:
        await work()
    except Unavailable:
        return False
    except Problem as problem:
        socket.refuse(problem)
    except Exception:
        # One faulty socket must not keep the others from their state.
        logger.exception("a socket could not be told its state")
    return True


async def look_again(socket: Refusable, work: Work) -> None:
    """One socket, as soon as both servers are there; it is closed when there is nothing for it any more."""
    try:
        await persist(work)
    except Problem as problem:
        socket.refuse(problem)
