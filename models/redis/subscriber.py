"""The subscription connection to Redis, and the handlers of each channel in this process.

redis-py's own `PubSub` costs more than the events themselves
(docs/decisions/storage/redis-answers-handed-on.md). A connection that is lost, or does not answer a PING, is
replaced and subscribes to all channels again; events published in the interval are lost, and `on_reconnect`
is called. A channel stays subscribed until `unsubscribe`, even if the first attempt fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import hiredis

from models.concurrency.background_tasks import BackgroundTasks
from models.errors import Unavailable
from models.redis.address import RedisAddress
from models.redis.connection import AWAY, RedisConnection
from models.redis.faults import OutageLog, RedisErrorReply

logger = logging.getLogger(__name__)
OPEN_SECONDS = 2.0
RETRY_SECONDS = 0.25
# A connection that receives nothing for this long after a PING is replaced.
HEALTH_SECONDS = 1.5
GRACE_SECONDS = 0.1
# `subscribe` waits twice this long; after the first time without an answer the connection is replaced.
CONFIRM_SECONDS = 1.25
# Called with the channel and the event: the published object in the same process, a decoded copy elsewhere.
Handler = Callable[[str, Any], None]
Decode = Callable[[bytes], Any]


class Subscription(NamedTuple):
    """The handler of a channel, and the decoder of events that arrive through Redis."""

    handle: Handler
    decode: Decode


class Subscriber:
    """The subscriptions. `origin` is the prefix of this process's own events, which it has already
    handled.
    """

    def __init__(self, address: RedisAddress, origin: bytes) -> None:
        self._address = address
        self._origin = origin
        self._log = OutageLog()
        self._connection: RedisConnection | None = None
        self._gone = asyncio.Event()
        # True from the loss of the connection until the first answer on a new one.
        self._is_away = False
        self._subscriptions: dict[str, Subscription] = {}
        # Outstanding answers to SUBSCRIBE: a channel is confirmed by the last of them.
        self._due: Counter[str] = Counter()
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._tasks = BackgroundTasks()
        self.on_reconnect: Callable[[], None] | None = None

    async def open(self, channel: str, handle: Handler, decode: Decode = bytes) -> None:
        """Subscribes to a first channel and listens until `close`. Raises: Unavailable."""
        self._subscriptions[channel] = Subscription(handle, decode)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                await self._connect()
                await self._confirmed(channel)
        except AWAY as error:
            self._hang_up()
            self._log.say(error)
            raise Unavailable from error
        self._tasks.repeat("listening to redis", self._keep, RETRY_SECONDS)

    async def close(self) -> None:
        await self._tasks.stop()
        self._hang_up()

    @property
    def is_listening(self) -> bool:
        return self._connection is not None and not self._is_away

    def deliver(self, channel: str, event: Any, *, is_encoded: bool = False) -> None:
        """Calls the handler of a channel in this process only. Never raises: an error in a handler must not
        affect the publisher.
        """
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            return
        try:
            subscription.handle(channel, subscription.decode(event) if is_encoded else event)
        except Exception:
            logger.exception("an event could not be delivered")

    # -- channels --

    async def subscribe(self, channel: str, handle: Handler, decode: Decode = bytes) -> None:
        """Returns when Redis has confirmed the subscription: later events are received. Raises:
        Unavailable.
        """
        if channel not in self._subscriptions:
            self._due[channel] += 1
            self._ask("SUBSCRIBE", channel)
        self._subscriptions[channel] = Subscription(handle, decode)
        if channel in self._due:
            await self._subscribed(channel)

    async def _subscribed(self, channel: str) -> None:
        connection, reads = self._connection, self._connection.reads if self._connection else 0
        if await self._is_confirmed_in_time(channel):
            return
        if connection is not None and self._connection is connection and connection.reads == reads:
            self.reconnect("no answer to SUBSCRIBE")
        if not await self._is_confirmed_in_time(channel):
            self.reconnect("no answer to SUBSCRIBE")
            raise Unavailable

    async def _is_confirmed_in_time(self, channel: str) -> bool:
        if channel not in self._due:
            return True  # It was confirmed just as the time ended, or the channel is no longer wanted.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_SECONDS):
                await self._confirmed(channel)
                return True
        return False

    async def _confirmed(self, channel: str) -> None:
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(channel, [])
        waiting.append(confirmed)
        try:
            await confirmed
        finally:
            if not confirmed.done() or confirmed.cancelled():
                waiting.remove(confirmed)
                if not waiting and self._waiting.get(channel) is waiting:
                    del self._waiting[channel]

    def unsubscribe(self, channel: str) -> None:
        if self._subscriptions.pop(channel, None) is None:
            return
        if self._connection is None:
            del self._due[channel]
        self._ask("UNSUBSCRIBE", channel)

    def _ask(self, command: str, *channels: str) -> None:
        """Sends a command. While the connection is lost nothing is sent: `_connect` subscribes to
        everything.
        """
        if self._connection is not None:
            parts: tuple[Any, ...] = (command, *channels)
            self._connection.write(hiredis.pack_command(parts))

    # -- the connection --

    async def _keep(self) -> None:
        """Runs one connection, from its opening to its loss."""
        if self._connection is None:
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    await self._connect()
            except AWAY as error:
                self._log.say(error)
                return
        await self._watch()

    async def _connect(self) -> None:
        connection = await RedisConnection.open(self._address, self._on_answer, self._on_lost)
        self._connection = connection
        self._gone.clear()
        self._due = Counter(dict.fromkeys(self._subscriptions, 1))
        self._ask("SUBSCRIBE", *self._subscriptions)

    async def _watch(self) -> None:
        """Returns when the connection is lost."""
        while (connection := self._connection) is not None:
            reads = connection.reads
            self._ask("PING")
            if await self._is_gone_within(HEALTH_SECONDS) or connection.reads != reads:
                continue
            # After a pause of this process the answer may have arrived but not been read yet.
            if not await self._is_gone_within(GRACE_SECONDS) and connection.reads == reads:
                self.reconnect("no answer to PING")

    async def _is_gone_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._gone.wait()
        return False

    def reconnect(self, why: object) -> None:
        """Replaces the connection, whatever its state, unless it is being replaced already."""
        if self._connection is not None:
            self._log.say(f"listening: {why}" if isinstance(why, str) else why)
            self._hang_up()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._is_away = True
        self._due = Counter(dict.fromkeys(self._subscriptions, 1))
        self._gone.set()

    def _on_lost(self) -> None:
        self.reconnect("the connection was lost")

    # -- received --

    def _on_answer(self, answer: Any) -> None:
        try:
            if isinstance(answer, Exception):
                self.reconnect(answer if isinstance(answer, RedisErrorReply) else str(answer))
            else:
                self._take(*answer)
        except Exception:
            # Any error: a process that receives no more events would be worse than one that starts over.
            logger.exception("subscribing again")
            self._hang_up()

    def _take(self, kind: bytes, about: bytes, data: Any = None) -> None:
        if self._is_away:
            # Redis subscribes to all channels of a command at once: the first answer stands for all.
            self._is_away = False
            self._report_reconnect()
        if kind == b"message":
            if not data.startswith(self._origin):
                self.deliver(about.decode(), data.partition(b"|")[2], is_encoded=True)
        elif kind == b"subscribe":
            self._confirm(about.decode())

    def _confirm(self, channel: str) -> None:
        self._due[channel] -= 1
        if self._due[channel] > 0:
            return
        del self._due[channel]
        for one in self._waiting.pop(channel, ()):
            if not one.done():
                one.set_result(None)

    def _report_reconnect(self) -> None:
        if self.on_reconnect is not None:
            self.on_reconnect()
