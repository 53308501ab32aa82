"""Blocking work on one thread, one subject after the other; and turns of one subject.

A subject is an address or a person. Subjects are served in rotation, each in its own order: whoever has one
piece of work waits for at most one piece of each other subject, however much the others have. State is per
process. Raises: Unavailable with Retry-After when too much waits. If the queue is full, the newest work of
the subject with the most work makes room for a subject that has less.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from models.errors import TooMany, Unavailable

MOST_WAITING = 16  # of one subject
MOST_IN_ALL = 32
MOST_IN_LINE = 32
RETRY_SECONDS = 5
Result = TypeVar("Result")


class _Job(Generic[Result]):
    def __init__(self, work: Callable[[], Result]) -> None:
        self.work = work
        self.answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def refuse(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(Unavailable(retry_after=RETRY_SECONDS))

    def copy(self, done: asyncio.Future[Result]) -> None:
        """The outcome, unless the caller has gone."""
        if self.answer.done():
            return
        if error := done.exception():
            self.answer.set_exception(error)
        else:
            self.answer.set_result(done.result())


class FairQueue:
    """`close` at the end: work that has not begun is dropped."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: OrderedDict[str, deque[_Job[Any]]] = OrderedDict()
        self._is_busy = False

    async def run(self, subject: str, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises. Raises Unavailable."""
        job = _Job(work)
        self._add(subject, job)
        self._go_on()
        try:
            return await job.answer
        finally:
            self._forget(subject, job)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _add(self, subject: str, job: _Job[Any]) -> None:
        own = len(self._waiting.get(subject, ()))
        if own >= MOST_WAITING:
            raise Unavailable(retry_after=RETRY_SECONDS)
        if sum(map(len, self._waiting.values())) >= MOST_IN_ALL:
            self._make_room(own)
        self._waiting.setdefault(subject, deque()).append(job)

    def _make_room(self, own: int) -> None:
        longest = max(self._waiting, key=lambda subject: len(self._waiting[subject]))
        if len(self._waiting[longest]) <= own + 1:
            raise Unavailable(retry_after=RETRY_SECONDS)
        self._waiting[longest].pop().refuse()

    def _forget(self, subject: str, job: _Job[Any]) -> None:
        """A caller that was cancelled leaves its place."""
        line = self._waiting.get(subject)
        if line is not None and job in line:
            line.remove(job)
            if not line:
                del self._waiting[subject]

    def _go_on(self) -> None:
        if self._is_busy or not self._waiting:
            return
        subject, line = next(iter(self._waiting.items()))
        job = line.popleft()
        self._waiting.move_to_end(subject)
        if not line:
            del self._waiting[subject]
        self._is_busy = True
        done = asyncio.get_running_loop().run_in_executor(self._thread, job.work)
        done.add_done_callback(lambda done: self._next(job, done))

    def _next(self, job: _Job[Any], done: asyncio.Future[Any]) -> None:
        self._is_busy = False
        if not done.cancelled():
            job.copy(done)
        self._go_on()


class Turns:
    """At most `at_once` of one subject at a time; up to `MOST_IN_LINE` more wait in order."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lines: dict[str, tuple[asyncio.Semaphore, list[None]]] = {}

    @asynccontextmanager
    async def of(self, subject: str) -> AsyncIterator[None]:
        """Raises TooMany: one subject asks for more than it can be given soon."""
        free, people = self._lines.setdefault(subject, (asyncio.Semaphore(self._at_once), []))
        if len(people) >= self._at_once + MOST_IN_LINE:
            raise TooMany(retry_after=RETRY_SECONDS)
        people.append(None)
        try:
            async with free:
                yield
        finally:
            people.pop()
            if not people:
                del self._lines[subject]
