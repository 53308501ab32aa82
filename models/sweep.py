"""The sweep: the periodic work of every process, each half second.

It reads PostgreSQL's clock, ends what is due, sends heartbeats, recovers from dead processes, and reads what
must not be missed. Any process may do any of it; the database decides which one was first. Each round is a
task of its own: neither an outage of one server nor the calls of a dead process delay a heartbeat or a ban. A
round that fails is logged and retried. What is due before the next round gets its own alarm. Ended sessions
are also read from PostgreSQL, so that a lost event never leaves a user signed in. Slow work (querying Stripe
about late checkouts) has its own pace, as a `PeriodicJob`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from models.broadcasts import SignedOut
from models.calls.calls import Calls
from models.calls.timers import CallTimers
from models.clock import Clock
from models.concurrency.background_tasks import BackgroundTasks
from models.errors import Unavailable
from models.postgres.database import Db
from models.redis import keys
from models.redis.client import RELOAD, Bus
from models.ringing.outcomes import InviteOutcomes
from models.room.presence import Presence, RedisBeat
from models.security.sessions import Sessions

logger = logging.getLogger(__name__)
ROUND_SECONDS = 0.5
BEAT_ROUNDS = 4
# Even after a failure, a process sends its heartbeat within DEAD_SECONDS.
MOST_ROUND_SECONDS = 1.0
DEAD_SECONDS = 6
CORRECT_SECONDS = 10
LOOK_BACK = timedelta(seconds=5)


class PeriodicJob(NamedTuple):
    """Work that every process does every so many seconds, besides the rounds."""

    seconds: float
    work: Callable[[], Awaitable[object]]


class Beat(msgspec.Struct, frozen=True):
    """PostgreSQL's clock, this process's previous heartbeat (`before`), and the processes without a
    heartbeat.
    """

    now: datetime
    before: datetime | None
    dead: list[str]


class Sweep:
    def __init__(
        self,
        db: Db,
        bus: Bus,
        clock: Clock,
        presence: Presence,
        outcomes: InviteOutcomes,
        calls: Calls,
        sessions: Sessions,
        jobs: Sequence[PeriodicJob] = (),
        checks: Sequence[Callable[[], Awaitable[None]]] = (),
        recoveries: Sequence[Callable[[], Awaitable[object]]] = (),
    ) -> None:
        """`checks` are run in every round and read what must not be missed: bans, blocks. `recoveries` run
        when PostgreSQL has lost data or was replaced.
        """
        self._sql = db.statements("sweep")
        self._bus, self._clock, self._presence = bus, clock, presence
        self._outcomes, self._calls, self._sessions = outcomes, calls, sessions
        self._jobs, self._checks, self._recoveries = jobs, checks, recoveries
        self.timers = CallTimers(calls)
        self._tasks = BackgroundTasks()
        self._round = 0
        self._dead: list[str] = []
        self._beaten_at: datetime | None = None
        self._missed_beats_at: datetime | None = None
        self._is_forgotten = False
        self._redis_beat = RedisBeat(is_known=True, dead=[])
        self._rounds = (self._beat, self._recover, self._call_round, self._ends_round, self._watch_round)
        self._ended_seen: dict[str, datetime] = {}

    async def prepare(self) -> None:
        """Before the first request: learns the clock, sends heartbeats, restarts grace periods."""
        await self._beat()
        await self._calls.restarts.run(self._dead, everyone=True)
        await self._presence.heal((await self._presence.beat()).dead)
        await self._presence.register_all()

    def start(self) -> None:
        """Starts the rounds and the jobs. A slow round does not delay any other, least of all a
        heartbeat.
        """
        rounds = (*self._rounds, self._recover_redis, self._redis_round)
        jobs = [PeriodicJob(ROUND_SECONDS, work) for work in rounds]
        jobs.append(PeriodicJob(ROUND_SECONDS * BEAT_ROUNDS, self._beat_in_redis))
        for seconds, work in jobs:
            self._tasks.repeat(_name(work), work, seconds, max(MOST_ROUND_SECONDS, seconds))
        for seconds, work in (PeriodicJob(CORRECT_SECONDS, self._presence.correct), *self._jobs):
            self._tasks.repeat(_name(work), work, seconds)

    async def stop(self) -> None:
        """Ends the rounds and unregisters this process; grace periods begin for its seats and users."""
        await self._tasks.stop()
        await self.timers.stop()
        try:
            await self._presence.depart()
            await self._calls.restarts.run([self._bus.process_id], everyone=False)
            await self._sql.run("depart", process_id=self._bus.process_id)
        except Unavailable:
            logger.warning("stopped without unregistering: a server is down")

    async def once(self) -> None:
        """Runs one of each round, for tests."""
        for work in self._rounds:
            await work()
        self._round += 1
        if self._round % BEAT_ROUNDS == 0:
            await self._beat_in_redis()
        await self._recover_redis()
        await self._redis_round()

    async def _recover(self) -> None:
        """Recovers the calls of dead processes; everything here, if PostgreSQL had forgotten this process."""
        dead = self._dead
        if dead and await self._calls.restarts.run(dead, everyone=True):
            await self._sql.run("bury", process_ids=dead)
            self._dead = []
        if self._is_forgotten:
            await self._come_back()

    async def _call_round(self) -> None:
        # The interval of a round is its pause plus its work; timers that an earlier round has set are not
        # set twice.
        self.timers.set(2 * ROUND_SECONDS)
        await self._calls.sweep()

    async def _ends_round(self) -> None:
        await self._calls.look_for_ends()

    async def _watch_round(self) -> None:
        await _each(self._publish_ended_sessions, *self._checks)

    async def _beat_in_redis(self) -> None:
        beat = await self._presence.beat()
        # What an earlier heartbeat found stays until it is fixed.
        is_known = beat.is_known and self._redis_beat.is_known
        self._redis_beat = RedisBeat(is_known=is_known, dead=beat.dead)

    async def _recover_redis(self) -> None:
        """Recovers the users of dead processes; everything here, if Redis had forgotten this process."""
        dead, self._redis_beat = self._redis_beat.dead, replace(self._redis_beat, dead=[])
        await self._presence.heal(dead)
        if not self._redis_beat.is_known:
            logger.warning("redis had forgotten this process; registering everything again")
            self._redis_beat = replace(self._redis_beat, is_known=True)
            try:
                await self._presence.register_all()
            except BaseException:
                self._redis_beat = replace(self._redis_beat, is_known=False)
                raise
            self._bus.subscriber.deliver(keys.CHANNEL_ALL, RELOAD)

    async def _redis_round(self) -> None:
        ends, restarts = self._calls.ends, self._calls.restarts
        await _each(self._presence.look_at_away, ends.retry, restarts.empty_keys, self._outcomes.sweep)

    async def _beat(self) -> None:
        asked_at = time.monotonic()
        beat = await self._sql.one("beat", Beat, process_id=self._bus.process_id, dead_seconds=DEAD_SECONDS)
        assert beat is not None
        self._clock.learn(beat.now, asked_at=asked_at, answered_at=time.monotonic())
        # Declared dead while it could not send heartbeats; or PostgreSQL was emptied or restored from a
        # backup.
        last, self._beaten_at = self._beaten_at, beat.now
        self._is_forgotten |= last is not None and (beat.before is None or beat.before < last)
        self._dead = beat.dead if self._may_judge(beat) else []

    def _may_judge(self, beat: Beat) -> bool:
        """Whether this process may declare others dead. If it missed heartbeats itself, PostgreSQL was
        probably down for all, so the others get time to return.
        """
        patience = timedelta(seconds=DEAD_SECONDS)
        if beat.before is not None and beat.now - beat.before > patience:
            self._missed_beats_at = beat.now
        return self._missed_beats_at is None or beat.now - self._missed_beats_at >= patience

    async def _come_back(self) -> None:
        """Discards cached data and checks every socket here again; some will be closed."""
        logger.warning("postgresql had forgotten this process; checking everything again")
        for recover in self._recoveries:
            await recover()
        self._bus.subscriber.deliver(keys.CHANNEL_ALL, RELOAD)
        self._is_forgotten = False

    async def _publish_ended_sessions(self) -> None:
        """Publishes the sessions that ended in the last seconds, each once."""
        now = self._clock.now()
        for ended in await self._sessions.ended_since(now - LOOK_BACK):
            if ended.session_id not in self._ended_seen:
                self._ended_seen[ended.session_id] = now
                event = SignedOut(session_id=ended.session_id, reason=ended.reason)
                self._bus.subscriber.deliver(keys.user_channel(ended.user_id), event)
        self._ended_seen = {key: at for key, at in self._ended_seen.items() if now - at < 4 * LOOK_BACK}


def _name(work: Callable[[], Awaitable[object]]) -> str:
    return getattr(work, "__qualname__", "a job")


async def _each(*steps: Callable[[], Awaitable[object]]) -> None:
    """Runs all steps, even after a failure, so that one error does not keep other rules from being applied.
    Raises the first failure at the end, and Unavailable at once.
    """
    failures: list[Exception] = []
    for step in steps:
        try:
            await step()
        except Unavailable:
            raise
        except Exception as error:
            failures.append(error)
    for failure in failures[1:]:
        logger.error("a step of the sweep failed", exc_info=failure)
    if failures:
        raise failures[0]
