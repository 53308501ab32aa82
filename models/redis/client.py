"""Redis for the rest of the site: commands, Lua scripts, and events between processes.

Events are published on the channels of `models.redis.keys`. A process gets its own events at once, without
Redis; other processes get them through Redis in the order of publication. Publishing does not wait. Events
can be lost in an outage; then every process reloads: a process that could not publish publishes a reload on
`keys.CHANNEL_ALL` as soon as Redis answers, and one that was not subscribed calls `subscriber.on_reconnect`.
If Redis does not answer, the error is `Unavailable`, two seconds after the command was sent; queued commands
may wait longer (`models.redis.pipeline`). The same error stands for faults that only the operator can fix
(`models.redis.faults`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis.exceptions import NoScriptError

from models.concurrency.background_tasks import BackgroundTasks
from models.errors import Unavailable
from models.redis import keys
from models.redis.address import RedisAddress
from models.redis.connection import AWAY
from models.redis.pipeline import Pipeline
from models.redis.subscriber import Decode, Handler, Subscriber

LUA = Path(__file__).resolve().parent / "lua"
AGAIN_SECONDS = 0.25
# How long `flush` waits for Redis when it is down.
FLUSH_SECONDS = 5.0
RELOAD = b"reload"


class Script:
    """The text of a Lua script, and its SHA-1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    @classmethod
    def named(cls, name: str) -> Script:
        """`room.settle` is models/redis/lua/room/settle.lua; `-- include: room.settle` in another script
        inserts it before that script.
        """
        return cls(_with_includes(_read(name)))


def _read(name: str) -> str:
    return (LUA / f"{name.replace('.', '/')}.lua").read_text(encoding="utf-8")


def _with_includes(text: str) -> str:
    parts = []
    for line in text.splitlines():
        if line.startswith("-- include: "):
            parts.append(_read(line.removeprefix("-- include: ").strip()))
    return "\n".join([*parts, text])


class Bus:
    """Commands, scripts, and events. `process_id` marks this process's own events, which it has already
    handled.
    """

    def __init__(self, redis_url: str, process_id: str) -> None:
        self.process_id = process_id
        address = RedisAddress(redis_url)
        self._pipeline = Pipeline(address, self.reload_everyone, self._connection_replaced)
        self._scripts: dict[str, Script] = {}
        self._origin = f"{process_id}|".encode()
        self.subscriber = Subscriber(address, self._origin)
        self._is_reload_due = False
        self._is_reloaded = asyncio.Event()
        self._is_reloaded.set()
        self._tasks = BackgroundTasks()

    async def open(self, channel: str, handle: Handler, decode: Decode = bytes) -> None:
        """Subscribes to a first channel and listens until `close`. Raises: Unavailable."""
        await self.command("ping")
        await self.subscriber.open(channel, handle, decode)

    async def close(self) -> None:
        await self._pipeline.flushed()
        await self._tasks.stop()
        await self.subscriber.close()
        await self._pipeline.close()
        # The event loop releases a closed connection in its next iteration.
        await asyncio.sleep(0)

    async def check(self) -> None:
        """Raises: Unavailable, unless Redis answers, accepts writes, and delivers events to this process."""
        await self.command("SET", keys.READY, self.process_id, "PX", keys.READY_MS)
        if not self.subscriber.is_listening:
            raise Unavailable

    # -- commands --

    async def command(self, *parts: object) -> Any:
        """One Redis command: `await bus.command("zcard", keys.QUEUE)`. Text is returned as bytes."""
        return await self._pipeline.execute(*parts)

    async def script(self, name: str, *values: object) -> Any:
        """Runs a Lua script (`room.beat`) with `values` as ARGV, atomically."""
        script = self._scripts.get(name)
        if script is None:
            script = self._scripts[name] = Script.named(name)
        return await self.run(script, (), *values)

    async def run(self, script: Script, names: tuple[str, ...], *values: object) -> Any:
        """Runs a script with `names` as KEYS and `values` as ARGV."""
        try:
            return await self._pipeline.execute("EVALSHA", script.sha, len(names), *names, *values)
        except NoScriptError:
            return await self._pipeline.execute("EVAL", script.text, len(names), *names, *values)

    # -- events --

    def publish(self, channel: str, event: Any, encode: Callable[[Any], bytes] = bytes) -> None:
        """Sends an event to every process that is subscribed to `channel`; to this one at once, and not
        encoded.
        """
        self.subscriber.deliver(channel, event)
        self._pipeline.send("PUBLISH", channel, self._origin + encode(event))

    async def flush(self) -> None:
        """Returns when every published event, or a reload in its place, has been sent: for a process that is
        about to end. Gives up after five seconds.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._pipeline.flushed()
                await self._is_reloaded.wait()

    def reload_everyone(self) -> None:
        """Makes every process send its sockets their state as soon as Redis answers, because events may have
        been lost.
        """
        self._is_reload_due = True
        if self._is_reloaded.is_set():
            self._is_reloaded.clear()
            self._tasks.spawn("the reload of every process", self._publish_reload())

    async def _publish_reload(self) -> None:
        try:
            while self._is_reload_due:
                # Set again by an event that is dropped from here on.
                self._is_reload_due = False
                await self._publish_reload_once()
        finally:
            self._is_reloaded.set()

    async def _publish_reload_once(self) -> None:
        try:
            # Without an origin, so that this process handles it too.
            await self.command("PUBLISH", keys.CHANNEL_ALL, b"|" + RELOAD)
        except AWAY:
            self._is_reload_due = True
            await asyncio.sleep(AGAIN_SECONDS)

    def _connection_replaced(self) -> None:
        """Replaces the other connection too, so that both use the same server after a failover."""
        self.subscriber.reconnect("the connection for commands was replaced")
