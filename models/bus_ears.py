"""The one connection to Redis on which a process hears news, and who in the process wants to hear what.

redis-py's own `PubSub` costs more than the news itself: here a message is one read and one look-up. A lost
connection is opened again and subscribes to everything anew; what was published meanwhile is lost, and
`on_reconnect` is told so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import hiredis
import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from models.bus_line import Line, in_resp2
from models.errors import Unavailable
from models.persist import persist

logger = logging.getLogger(__name__)
AWAY = (RedisError, OSError, asyncio.TimeoutError)
ANSWER_SECONDS = 2.0
RETRY_SECONDS = 0.25
Heard = Callable[[str, bytes], None]


class Ears:
    """`origin` begins what this process has published itself, and so has heard already."""

    def __init__(self, redis_url: str, origin: bytes) -> None:
        # Without retries: a lost connection must show, for what was published meanwhile is lost.
        self._pool: Any = aioredis.ConnectionPool.from_url(
            redis_url, socket_connect_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        in_resp2(self._pool)
        self._line: Line | None = None
        # True from the loss of the connection until the first answer on a new one.
        self._is_away = False
        self._origin = origin
        self._hearing: dict[str, Heard] = {}
        # Every subscription is confirmed by itself: two at once on one channel wait for two answers.
        self._unconfirmed: dict[str, list[asyncio.Future[None]]] = {}
        self._asked_anew: dict[str, list[asyncio.Future[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_reconnect: Callable[[], Awaitable[None]] | None = None

    async def open(self, channel: str, heard: Heard) -> None:
        """Subscribes to a first channel and listens until `close`. Raises Unavailable."""
        self._hearing[channel] = heard
        await _guarded(self._connect())

    async def close(self) -> None:
        # First of all: a line that is lost meanwhile would be opened again.
        self._hang_up()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._hang_up()

    def tell(self, channel: str, news: bytes) -> None:
        heard = self._hearing.get(channel)
        if heard is not None:
            heard(channel, news)

    async def subscribe(self, channel: str, heard: Heard) -> None:
        """Returns once Redis has confirmed it: later news is heard. Raises Unavailable."""
        is_heard = channel in self._hearing and channel not in self._unconfirmed
        self._hearing[channel] = heard
        if is_heard:
            return
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._unconfirmed.setdefault(channel, [])
        waiting.append(confirmed)
        try:
            self._ask("SUBSCRIBE", [channel])
            await _guarded(confirmed)
        finally:
            if confirmed in waiting:
                waiting.remove(confirmed)
            if not waiting and self._unconfirmed.get(channel) is waiting:
                del self._unconfirmed[channel]

    def unsubscribe(self, channel: str) -> None:
        self._hearing.pop(channel, None)
        self._ask("UNSUBSCRIBE", [channel])

    def _ask(self, command: str, channels: Iterable[str]) -> None:
        """While the connection is lost there is nothing to say: `_connect` subscribes to everything."""
        if self._line is not None:
            parts: tuple[Any, ...] = (command, *channels)
            self._line.write(hiredis.pack_command(parts))

    async def _connect(self) -> None:
        self._line = await Line.open(self._pool, self._hear, self._lost)
        # One answer will stand for all who wait by now.
        self._asked_anew = {channel: list(waiting) for channel, waiting in self._unconfirmed.items()}
        self._ask("SUBSCRIBE", self._hearing)

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _lost(self) -> None:
        logger.warning("redis away while listening")
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._hang_up()
        self._is_away = True
        self._spawn(self._connect_again())

    async def _connect_again(self) -> None:
        while self._line is None:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._connect()
            except AWAY:
                continue
            except Exception:
                logger.exception("the bus cannot be reached")

    def _hear(self, answer: Any) -> None:
        try:
            if isinstance(answer, Exception):
                raise answer
            self._take(*answer)
        except (Unavailable, RedisError) as error:
            if not self._is_away:
                logger.warning("redis away while listening: %s", error)
            self._begin_anew()
        except Exception:
            # Whatever it was: a process that hears nothing more would be worse than one that begins anew.
            logger.exception("listening begins anew")
            self._begin_anew()

    def _take(self, kind: bytes, about: bytes, data: Any) -> None:
        if self._is_away:
            # Redis subscribes to all channels of a command at once: the first answer stands for all.
            self._is_away = False
            self._tell_reconnected()
        if kind == b"message":
            if not data.startswith(self._origin):
                self._deliver(about.decode(), data.partition(b"|")[2])
        elif kind == b"subscribe":
            self._confirm(about.decode())

    def _confirm(self, channel: str) -> None:
        waiting = self._unconfirmed.get(channel, [])
        for one in self._asked_anew.pop(channel, waiting[:1]):
            if one in waiting:
                waiting.remove(one)
            if not one.done():
                one.set_result(None)

    def _deliver(self, channel: str, news: bytes) -> None:
        try:
            self.tell(channel, news)
        except Exception:
            logger.exception("news could not be delivered")

    def _tell_reconnected(self) -> None:
        if self.on_reconnect is not None:
            self._spawn(self._reconnected(self.on_reconnect))

    @staticmethod
    async def _reconnected(told: Callable[[], Awaitable[None]]) -> None:
        # Also when Redis still loads, or goes away again meanwhile.
        await persist(told)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _guarded(work: Awaitable[Any]) -> None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await work
    except AWAY as error:
        logger.warning("redis away: %s", type(error).__name__)
        raise Unavailable from error
