"""One connection to Redis that a whole process shares: what is asked in one moment goes out together, in
order.

redis-py takes a connection from its pool and waits for it with every command; here a hundred handlers that
ask at once cost
one write and one read. Answers come in the order of the questions, so what was asked first has happened
first. A question
that is not answered within two seconds, and all that wait behind it, fail alike: `Unavailable`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from typing import Any, NamedTuple

import hiredis
from redis.exceptions import RedisError, ResponseError

from models.errors import Unavailable

logger = logging.getLogger(__name__)
AWAY = (RedisError, OSError, asyncio.TimeoutError)
ANSWER_SECONDS = 2.0
MOST_AT_ONCE = 500


class Question(NamedTuple):
    packed: bytes
    answer: asyncio.Future[Any]


class Wire:
    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._connection: Any = None
        self._waiting: list[Question] = []
        self._task: asyncio.Task[None] | None = None

    def ask(self, *parts: Any) -> asyncio.Future[Any]:
        """One command. The future gives Redis' answer (text as bytes), a ResponseError, or Unavailable.

        Raises TypeError for what is neither text, bytes nor a number.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # redis-py packs in Python here, at many times the cost.
        self._waiting.append(Question(hiredis.pack_command(parts), answer))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._ask_all())
        return answer

    def tell(self, *parts: object) -> None:
        """One command whose answer nobody waits for."""
        self.ask(*parts).add_done_callback(_forget)

    async def flushed(self) -> None:
        """Returns once everything asked so far has been answered, or has failed."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection is not None:
            await self._pool.release(self._connection)

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
                await self._ask_batch(batch)
        finally:
            self._task = None

    async def _ask_batch(self, batch: list[Question]) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._round(batch)
        except AWAY as error:
            logger.warning("redis away: %s", type(error).__name__)
            waiting, self._waiting = self._waiting, []
            await self._fail([*batch, *waiting])
        except BaseException:
            await self._fail(batch)
            raise

    async def _round(self, batch: list[Question]) -> None:
        if self._connection is None:
            self._connection = await self._pool.get_connection()
        connection = self._connection
        packed = [question.packed for question in batch]
        await connection.send_packed_command(packed, check_health=False)
        for question in batch:
            try:
                # Without the connection's own time limit: one for the whole batch is ours.
                answer = await connection.read_response(timeout=math.inf)
            except ResponseError as error:
                _settle(question, error=error)
            else:
                _settle(question, answer)

    async def _fail(self, questions: list[Question]) -> None:
        """Half an answer may still be under way: the connection is not used again."""
        for question in questions:
            _settle(question, error=Unavailable())
        if self._connection is not None:
            with contextlib.suppress(*AWAY):
                await self._connection.disconnect(nowait=True)


def _settle(question: Question, answer: Any = None, error: Exception | None = None) -> None:
    if question.answer.done():
        return
    if error is None:
        question.answer.set_result(answer)
    else:
        question.answer.set_exception(error)


def _forget(answer: asyncio.Future[Any]) -> None:
    if not answer.cancelled():
        answer.exception()
