"""A fair queue for blocking work on one thread.

A subject is an address or a user. Subjects are served in rotation, each in the order of its own work: a
subject with one job waits for at most one job of each other subject. State is per process.
Raises: Unavailable with Retry-After if too much is queued. If the queue is full, the newest job of the
subject with the most jobs is dropped for a subject with fewer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from models.errors import Unavailable

MOST_WAITING = 16  # of one subject
MOST_IN_ALL = 32
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
        """Passes on the outcome, unless the caller was cancelled."""
        if self.answer.done():
            return
        if error := done.exception():
            self.answer.set_exception(error)
        else:
            self.answer.set_result(done.result())


class FairQueue:
    """Call `close` on shutdown: it refuses jobs that have not started, and later ones."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: OrderedDict[str, deque[_Job[Any]]] = OrderedDict()
        self._is_busy = self._is_closed = False

    async def run(self, subject: str, work: Callable[[], Result]) -> Result:
        """Returns or raises what `work` does. Raises: Unavailable."""
        if self._is_closed:
            raise Unavailable(retry_after=RETRY_SECONDS)
        job = _Job(work)
        self._add(subject, job)
        self._start_next()
        try:
            return await job.answer
        finally:
            self._remove(subject, job)

    def close(self) -> None:
        self._is_closed = True
        for line in self._waiting.values():
            for job in line:
                job.refuse()
        self._waiting.clear()
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

    def _remove(self, subject: str, job: _Job[Any]) -> None:
        """Removes the job of a caller that was cancelled while waiting."""
        jobs = self._waiting.get(subject)
        if jobs is not None and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self._waiting[subject]

    def _start_next(self) -> None:
        if self._is_busy or not self._waiting:
            return
        subject, jobs = next(iter(self._waiting.items()))
        job = jobs.popleft()
        self._waiting.move_to_end(subject)
        if not jobs:
            del self._waiting[subject]
        self._is_busy = True
        done = asyncio.get_running_loop().run_in_executor(self._thread, job.work)
        done.add_done_callback(lambda done: self._finish(job, done))

    def _finish(self, job: _Job[Any], done: asyncio.Future[Any]) -> None:
        self._is_busy = False
        if done.cancelled():
            job.refuse()
        else:
            job.copy(done)
        self._start_next()
