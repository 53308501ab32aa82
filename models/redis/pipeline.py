"""One connection to Redis shared by the process: concurrent commands are sent together, in order.

redis-py takes a connection from its pool and waits for it with every command; here a hundred concurrent
handlers cost one write and one read. Commands that are issued while Redis answers wait and are sent together
afterwards. Answers come in the order of the commands, so commands take effect in the order in which they were
issued. If a batch is not answered within two seconds of being sent, it fails with everything queued behind
it: `Unavailable`. The same happens to commands that wait for a connection that cannot be opened within two
seconds. A server that hangs thus fails a command within two seconds; one that answers late, or hangs after a
new connection, within two seconds for each batch and connection that the command waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis

from models.errors import Unavailable
from models.redis.address import RedisAddress
from models.redis.connection import AWAY, RedisConnection
from models.redis.faults import OutageLog, RedisErrorReply

logger = logging.getLogger(__name__)
ANSWER_SECONDS = 2.0
# After a pause of this process the answer may have arrived but not been read yet.
GRACE_SECONDS = 0.05
MOST_AT_ONCE = 500


class Pipeline:
    """A pipelined connection. `dropped` is called when a command without a waiting caller may be lost,
    `replaced` when a connection is given up.
    """

    def __init__(
        self, address: RedisAddress, dropped: Callable[[], None], replaced: Callable[[], None]
    ) -> None:
        self._address = address
        self._dropped, self._replaced = dropped, replaced
        self._log = OutageLog()
        self._connection: RedisConnection | None = None
        self._opening: asyncio.Task[None] | None = None
        # The queued commands, and for each the future of its answer.
        self._queued: list[bytes] = []
        self._answers: list[asyncio.Future[Any] | None] = []
        self._is_due = False
        # Sent together and not answered yet.
        self._pending: deque[asyncio.Future[Any] | None] = deque()
        self._sent_at = self._overdue = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def execute(self, *parts: Any) -> asyncio.Future[Any]:
        """One command. The future gives Redis' answer (text as bytes), a ResponseError, or Unavailable.

        Raises: TypeError, for values that are neither text, bytes nor numbers.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._put(answer, parts)
        return answer

    def send(self, *parts: Any) -> None:
        """One command whose answer is not needed."""
        self._put(None, parts)

    def _put(self, answer: asyncio.Future[Any] | None, parts: tuple[Any, ...]) -> None:
        if self._is_closed:
            if answer is not None:
                answer.set_exception(Unavailable())
            return
        # redis-py packs commands in Python, at many times the cost.
        self._queued.append(hiredis.pack_command(parts))
        self._answers.append(answer)
        if not self._is_due and not self._pending:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._send_batch)

    async def flushed(self) -> None:
        """Returns when every command issued so far has been answered or has failed."""
        if self._pending or self._queued:
            with contextlib.suppress(Unavailable):
                await self.execute("PING")

    async def close(self) -> None:
        """Fails pending and later commands with Unavailable."""
        self._is_closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
            # A task cancelled before its first step has not done this itself.
            self._opening = None
        if self._timer is not None:
            self._timer.cancel()
        self._fail()

    def _send_batch(self) -> None:
        """Sends the queued commands in one write, and the rest when these are answered."""
        self._is_due = False
        if self._connection is None:
            if self._opening is None and self._queued:
                self._opening = asyncio.get_running_loop().create_task(self._open())
            return
        if not self._queued:
            return
        batch, self._queued = self._queued[:MOST_AT_ONCE], self._queued[MOST_AT_ONCE:]
        self._pending.extend(self._answers[:MOST_AT_ONCE])
        del self._answers[:MOST_AT_ONCE]
        loop = asyncio.get_running_loop()
        self._sent_at = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(ANSWER_SECONDS, self._look_at_time)
        self._connection.write(b"".join(batch))

    async def _open(self) -> None:
        """Returns with an open connection, or with every queued command failed."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._connection = await RedisConnection.open(self._address, self._on_answer, self._on_lost)
        except AWAY as error:
            self._fail(error)
        except asyncio.CancelledError:
            self._fail("no connection")
            raise
        except Exception as error:
            logger.exception("no connection to redis")
            self._fail(error)
        finally:
            self._opening = None
        self._send_batch()

    def _on_answer(self, answer: Any) -> None:
        if not self._pending:
            self._fail(answer if isinstance(answer, Exception) else "an answer that was not asked for")
            return
        pending = self._pending.popleft()
        is_error = isinstance(answer, Exception)
        if pending is not None and not pending.done():
            pending.set_exception(answer) if is_error else pending.set_result(answer)
        if is_error:
            self._refused(answer, is_lost=pending is None)
        if not self._pending:
            self._send_batch()

    def _refused(self, error: Exception, *, is_lost: bool) -> None:
        if isinstance(error, RedisErrorReply) or is_lost:
            self._log.say(error)
        if isinstance(error, RedisErrorReply) and error.is_elsewhere:
            self._fail(error)
        if is_lost:
            self._dropped()

    def _look_at_time(self) -> None:
        """Checks the time limits: one timer for all, restarted while answers arrive."""
        self._timer = None
        if not self._pending:
            return
        loop = asyncio.get_running_loop()
        left = self._sent_at + ANSWER_SECONDS - loop.time()
        if left <= 0 and self._overdue == self._sent_at:
            self._fail("no answer in time")
            return
        if left <= 0:
            self._overdue = self._sent_at
        self._timer = loop.call_later(max(left, GRACE_SECONDS), self._look_at_time)

    def _on_lost(self) -> None:
        self._fail("the connection was lost")

    def _fail(self, error: object = None) -> None:
        """Fails the batch. Part of an answer may still arrive, so the connection is not reused."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        failed = [*self._pending, *self._answers]
        for waiting in (self._pending, self._queued, self._answers):
            waiting.clear()
        for answer in failed:
            if answer is not None and not answer.done():
                answer.set_exception(Unavailable())
        if self._is_closed:
            return
        self._log.say(error)
        self._replaced()
        if None in failed:
            self._dropped()
