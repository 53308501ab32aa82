"""The reload of every socket's state after events may have been lost.

Concurrent requests are combined into one reload. Seats come before invite sockets, because the grace period
of a seat that was taken for empty is running. If a server is down, a socket is retried until it has got its
state; a socket whose user or call no longer exists is closed. So is one whose reload fails in any other way
(with 1013): its client opens it again, instead of waiting for events of a state that it never got.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from handlers.realtime.sockets import Refusable
from models.concurrency.background_tasks import BackgroundTasks
from models.errors import Problem, Unavailable
from models.retry import AGAIN_SECONDS as RETRY_SECONDS
from models.retry import retry_until_available

logger = logging.getLogger(__name__)
AT_ONCE = 8
AGAIN_SECONDS = 0.5
Work = Callable[[], Awaitable[None]]
SocketReload = tuple[Refusable, Work]


class Reloads:
    """`everyone` gives all sockets with their reload; `announce` registers them in a Redis that may have lost
    them; `catch_up` finds the users who have left the queue.
    """

    def __init__(self, everyone: Callable[[], list[SocketReload]], announce: Work, catch_up: Work) -> None:
        self._everyone, self._announce, self._catch_up = everyone, announce, catch_up
        self._requested = asyncio.Event()
        self._is_to_announce = False
        self._tasks = BackgroundTasks()

    def start(self) -> None:
        self._tasks.repeat("the reload of all sockets", self._round, 0.0)

    async def stop(self) -> None:
        await self._tasks.stop()

    def request(self, *, announce: bool = False) -> None:
        """Requests a reload that begins after this moment; with `announce`, every socket is registered in
        Redis first.
        """
        self._is_to_announce |= announce
        self._requested.set()

    async def _round(self) -> None:
        await self._requested.wait()
        self._requested.clear()
        try:
            await self._announce_if_requested()
            await self._catch_up()
            await self._reload_all()
        except BaseException:
            self._requested.set()
            raise

    async def _announce_if_requested(self) -> None:
        """A request that arrives during the announcement is kept for the next round."""
        is_requested, self._is_to_announce = self._is_to_announce, False
        if not is_requested:
            return
        try:
            await self._announce()
        except BaseException:
            self._is_to_announce = True
            raise

    async def _reload_all(self) -> None:
        left = self._everyone()
        # A newer request starts again with all sockets, so that one that cannot be reloaded delays no other.
        while left and not self._requested.is_set():
            left = [one for few in _in_groups(left) for one in await _reload_few(few)]
            if left:
                await asyncio.sleep(AGAIN_SECONDS)


def _in_groups(reloads: list[SocketReload]) -> Iterable[list[SocketReload]]:
    return (reloads[at : at + AT_ONCE] for at in range(0, len(reloads), AT_ONCE))


async def _reload_few(few: list[SocketReload]) -> list[SocketReload]:
    """Reloads the sockets; returns those for which a server was down."""
    done = await asyncio.gather(*(_reload(*one) for one in few))
    return [one for one, is_done in zip(few, done, strict=True) if not is_done]


async def _reload(socket: Refusable, work: Work) -> bool:
    try:
        await work()
    except Unavailable:
        return False
    except Problem as problem:
        socket.refuse(problem)
    except Exception:
        # One failing socket must not keep the others from their state.
        _give_up(socket)
    return True


def _give_up(socket: Refusable) -> None:
    logger.exception("a socket could not be reloaded")
    socket.refuse(Unavailable())


async def look_again(socket: Refusable, work: Work, again_seconds: float = RETRY_SECONDS) -> None:
    """Reloads one socket as soon as both servers are up; it is closed if its user or call no longer
    exists, or if that fails.
    """
    try:
        await retry_until_available(work, again_seconds)
    except Problem as problem:
        socket.refuse(problem)
    except Exception:
        _give_up(socket)
