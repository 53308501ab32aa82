"""The one door to Redis: commands, Lua scripts, and news between processes.

News is published on a channel of `models.keys`. A process hears its own news at once, in process, and other
processes hear it through Redis, in the order it was published; nobody waits for that. News can be lost (Redis
away): a screen is made right again by `state`, so `on_reconnect` tells the hub to send it anew. Redis away is
`Unavailable`, within two seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from models.bus_wire import Wire
from models.errors import Unavailable

logger = logging.getLogger(__name__)
LUA = Path(__file__).resolve().parent / "lua"
AWAY = (RedisError, OSError, asyncio.TimeoutError)
COMMAND_SECONDS = 2.0
RETRY_SECONDS = 0.25
MOST_CONNECTIONS = 32
Heard = Callable[[str, bytes], None]


class Script:
    """The text of a Lua script, and the name Redis knows it by."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    @classmethod
    def named(cls, name: str) -> Script:
        """A Lua file; `-- include: other` in its first lines puts the text of other.lua before it."""
        return cls(_with_includes((LUA / f"{name}.lua").read_text()))


def _with_includes(text: str) -> str:
    parts = []
    for line in text.splitlines():
        if line.startswith("-- include: "):
            parts.append((LUA / f"{line.removeprefix('-- include: ').strip()}.lua").read_text())
    return "\n".join([*parts, text])


class Bus:
    """Commands and scripts one way, news the other. `process_id` marks news that this process has heard
    already.
    """

    def __init__(self, redis_url: str, process_id: str) -> None:
        self.process_id = process_id
        # Who finds all connections taken waits for one, instead of failing.
        pool: Any = aioredis.BlockingConnectionPool.from_url(
            redis_url,
            socket_timeout=COMMAND_SECONDS,
            socket_connect_timeout=COMMAND_SECONDS,
            max_connections=MOST_CONNECTIONS,
            timeout=COMMAND_SECONDS,
        )
        self.redis: Any = aioredis.Redis.from_pool(pool)
        self._wire = Wire(pool)
        # Without retries: a lost connection must show, for what was published meanwhile is lost.
        self._listener: Any = aioredis.from_url(
            redis_url, socket_connect_timeout=COMMAND_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        self._pubsub: Any = self._listener.pubsub()
        self._scripts: dict[str, Script] = {}
        self._hearing: dict[str, Heard] = {}
        # Every subscription is confirmed by itself: two at once on one channel wait for two answers.
        self._unconfirmed: dict[str, list[asyncio.Future[None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._origin = f"{process_id}|".encode()
        self.on_reconnect: Callable[[], Awaitable[None]] | None = None

    async def open(self, channel: str, heard: Heard) -> None:
        """Subscribes to a first channel and listens until `close`. Raises `Unavailable`."""
        await self.command("ping")
        self._hearing[channel] = heard
        await self._guarded(self._pubsub.subscribe(channel))
        self._spawn(self._listen())

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._wire.close()
        for client in (self._pubsub, self._listener, self.redis):
            with contextlib.suppress(*AWAY):
                await client.aclose()

    # -- commands --

    async def command(self, *parts: object) -> Any:
        """One Redis command: `await bus.command("zcard", keys.QUEUE)`. Text comes back as bytes."""
        return await self._wire.ask(*parts)

    async def script(self, name: str, *values: object) -> Any:
        """Runs models/lua/<name>.lua with `values` as ARGV, atomically."""
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = Script.named(name)
        return await self.evaluate(script, (), values)

    async def evaluate(self, script: Script, names: Sequence[object], values: Sequence[object]) -> Any:
        """Runs `script` with `names` as KEYS and `values` as ARGV, atomically."""
        try:
            return await self._wire.ask("EVALSHA", script.sha, len(names), *names, *values)
        except NoScriptError:
            return await self._wire.ask("EVAL", script.text, len(names), *names, *values)

    async def _guarded(self, work: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                return await work
        except AWAY as error:
            logger.warning("redis away: %s", type(error).__name__)
            raise Unavailable from error

    # -- news --

    def publish(self, channel: str, news: bytes) -> None:
        """Tells every process that listens to `channel`; this one at once."""
        self.tell_here(channel, news)
        self._wire.tell("PUBLISH", channel, self._origin + news)

    async def flush(self) -> None:
        """Returns once everything published has gone out: for a process that is about to end."""
        await self._wire.flushed()

    def tell_here(self, channel: str, news: bytes) -> None:
        """Only this process: every process has found the news by itself."""
        heard = self._hearing.get(channel)
        if heard is not None:
            heard(channel, news)

    async def subscribe(self, channel: str, heard: Heard) -> None:
        """Returns once Redis has confirmed it: what is published from then on is heard."""
        is_heard = channel in self._hearing and channel not in self._unconfirmed
        self._hearing[channel] = heard
        if is_heard:
            # Confirmed before; after a lost connection redis-py subscribes again to all of them.
            return
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._unconfirmed.setdefault(channel, [])
        waiting.append(confirmed)
        try:
            await self._guarded(self._pubsub.subscribe(channel))
            await self._guarded(confirmed)
        finally:
            if confirmed in waiting:
                waiting.remove(confirmed)
            if not waiting and self._unconfirmed.get(channel) is waiting:
                del self._unconfirmed[channel]

    async def unsubscribe(self, channel: str) -> None:
        self._hearing.pop(channel, None)
        with contextlib.suppress(Unavailable):
            await self._guarded(self._pubsub.unsubscribe(channel))

    async def _listen(self) -> None:
        was_away = False
        while True:
            try:
                message = await self._pubsub.get_message(timeout=None)
                if was_away:
                    was_away = False
                    await self._tell_reconnected()
                if message is not None:
                    self._hear(message)
            except AWAY as error:
                if not was_away:
                    logger.warning("redis away while listening: %s", type(error).__name__)
                was_away = True
                await asyncio.sleep(RETRY_SECONDS)

    def _hear(self, message: dict[str, Any]) -> None:
        channel = message["channel"].decode()
        if message["type"] == "subscribe":
            self._confirm(channel)
        elif message["type"] == "message":
            origin, _, news = message["data"].partition(b"|")
            heard = self._hearing.get(channel)
            if heard is not None and origin != self._origin[:-1]:
                self._deliver(heard, channel, news)

    def _confirm(self, channel: str) -> None:
        waiting = self._unconfirmed.get(channel)
        if waiting:
            confirmed = waiting.pop(0)
            if not confirmed.done():
                confirmed.set_result(None)

    @staticmethod
    def _deliver(heard: Heard, channel: str, news: bytes) -> None:
        try:
            heard(channel, news)
        except Exception:
            logger.exception("news could not be delivered")

    async def _tell_reconnected(self) -> None:
        if self.on_reconnect is not None:
            self._spawn(self._reconnected())

    async def _reconnected(self) -> None:
        assert self.on_reconnect is not None
        with contextlib.suppress(Unavailable):
            await self.on_reconnect()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
