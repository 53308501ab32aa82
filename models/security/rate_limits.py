"""Rate limits of requests, guesses and attempts.

Request times are in Redis (a sliding window, one round trip), wrong guesses in PostgreSQL, so that they
survive an emptied Redis. Concurrent attempts cannot exceed a limit. An IPv6 address counts as its /64.
Raises: TooMany with the seconds to wait; Unavailable if Redis is down.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from models.clock import Clock
from models.concurrency.keyed_semaphore import WAIT_SECONDS, KeyedSemaphore
from models.errors import Conflict, NotSignedIn, TooMany, Unavailable
from models.ids import is_id
from models.postgres.database import Db, Transaction
from models.redis import keys
from models.redis.client import Bus, Script
from models.redis.connection import AWAY
from models.security.addresses import subject_of
from models.security.site_secret import SiteSecret
from models.settings.config import Config

GUESS_SECONDS = 3600
DAY_SECONDS = 24 * 3600
CSP_REPORTS_PER_HOUR = 60
# Of one address at a time. Fewer than its allowed failures: running attempts are counted too, and must not
# use up the limit when a whole school signs in.
SIGN_INS_AT_ONCE = 16
# Of one subject, in each process. Sign-ins wait longer, because those before them hash passwords.
MOST_WAITING = 32
SIGN_IN_SECONDS = 60.0
LINKS_PER_HOUR = 3
LINKS_PER_HOUR_AND_ADDRESS = 10
# Errors of a wrong guess. After any other error the attempt is not counted.
FAILURES = (NotSignedIn, Conflict)


class Allowance(NamedTuple):
    """`most` within `seconds`."""

    most: int
    seconds: int


class BusStorage(RedisStorage):
    """The storage of the `limits` library on our own connection to Redis, in one round trip.

    The sliding window uses nothing else of the library's client, so that it never connects: it would take a
    connection of its own for each request, at several times the cost.
    """

    def __init__(self, bus: Bus) -> None:
        super().__init__("redis://", implementation="redispy", key_prefix=keys.LIMITS)
        self._bus = bus
        self._acquire = Script(self.bridge.SCRIPT_ACQUIRE_SLIDING_WINDOW.decode())
        self._read = Script(self.bridge.SCRIPT_SLIDING_WINDOW.decode())

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        return bool(await self._bus.run(self._acquire, self._names(key), limit, expiry, amount))

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Counts and seconds left, of the previous window and the current one."""
        found = await self._bus.run(self._read, self._names(key), expiry)
        before, before_ms, now, now_ms = (int(value or 0) for value in found)
        return before, max(0, before_ms) / 1000, now, max(0, now_ms) / 1000

    def _names(self, key: str) -> tuple[str, str]:
        """The previous window's key and the current one's, as the library names them."""
        current = self.bridge.prefixed_key(f"{{{key}}}")
        return f"{current}/-1", current


class RateLimits:
    """Counts and limits.

    `hit` is for requests, `guess` for look-ups that found nothing, `attempt` wraps a sign-in, and `ask_link`
    comes before a recovery e-mail.
    """

    def __init__(self, db: Db, bus: Bus, clock: Clock, config: Config, secret: SiteSecret) -> None:
        self._db, self._clock, self._secret = db, clock, secret
        self._sql = db.statements("security.rate_limits")
        self._of_account = _semaphore(1, SIGN_IN_SECONDS)
        self._of_address = _semaphore(SIGN_INS_AT_ONCE, SIGN_IN_SECONDS)
        self._takings = _semaphore(1)
        self._limiter = SlidingWindowCounterRateLimiter(BusStorage(bus))
        self._items: dict[str, RateLimitItem] = {
            "api": RateLimitItemPerMinute(config.api_per_minute),
            "guests": RateLimitItemPerHour(config.guests_per_hour),
            "turn": RateLimitItemPerHour(config.turn_per_hour),
            "turn_check": RateLimitItemPerHour(config.turn_checks_per_hour),
            "csp": RateLimitItemPerHour(CSP_REPORTS_PER_HOUR),
        }
        window = config.sign_in_minutes * 60
        self._allowed = {
            "code": Allowance(config.unknown_codes_per_hour, GUESS_SECONDS),
            "sign_in": Allowance(config.sign_in_failures, window),
            "sign_in_address": Allowance(config.sign_in_failures_per_address, window),
            "second_factor": Allowance(config.sign_in_failures, window),
            "link": Allowance(LINKS_PER_HOUR, GUESS_SECONDS),
            "link_address": Allowance(LINKS_PER_HOUR_AND_ADDRESS, GUESS_SECONDS),
            "account_mail": Allowance(LINKS_PER_HOUR, GUESS_SECONDS),
            "account_mail_address": Allowance(LINKS_PER_HOUR_AND_ADDRESS, GUESS_SECONDS),
            "report": Allowance(config.reports_per_day, DAY_SECONDS),
            "notice": Allowance(config.notices_per_hour, GUESS_SECONDS),
            "export": Allowance(config.exports_per_hour, GUESS_SECONDS),
        }

    async def hit(self, kind: str, subject: str) -> None:
        """Counts one `api`, `guests`, `turn`, `turn_check` or `csp` of a user or an address.

        Raises: TooMany, Unavailable.
        """
        item, key = self._items[kind], (kind, subject_of(subject))
        try:
            if await self._limiter.hit(item, *key):
                return
            stats = await self._limiter.get_window_stats(item, *key)
        except AWAY as error:
            raise Unavailable from error
        raise TooMany(retry_after=max(1, math.ceil(stats.reset_time - time.time())))

    async def guess(self, kind: str, subject: str) -> None:
        """Counts a wrong guess. Successful look-ups are never counted or limited.

        Raises: TooMany over the limit, also for concurrent guesses.
        """
        await self._take((kind, subject_of(subject)))

    async def report(self, user_id: str) -> None:
        """Counts one report by a user; the count survives an emptied Redis. Raises: TooMany."""
        await self._take(("report", user_id))

    async def notice(self, address: str) -> None:
        """Counts one notice from an address; the count survives an emptied Redis. Raises: TooMany."""
        await self._take(("notice", subject_of(address)))

    @asynccontextmanager
    async def export(self, user_id: str) -> AsyncIterator[None]:
        """Wraps an export of a user's own data. A failed one does not count. Raises: TooMany."""
        taken = await self._take(("export", user_id))
        try:
            yield
        except BaseException:
            await self._give_back(taken)
            raise

    @asynccontextmanager
    async def attempt(self, account: str | None, address: str) -> AsyncIterator[None]:
        """Wraps a sign-in: counted before the comparison, uncounted unless it fails (`FAILURES`).

        Counted by (account, address), so that failures elsewhere do not lock the owner out, and by address.
        At most one attempt of an account and a few of an address run at a time; the others wait, so that a
        running attempt does not cause a refusal. Raises: TooMany.
        """
        network = subject_of(address)
        subjects = [("sign_in_address", network), *_of_account("sign_in", account, network)]
        async with AsyncExitStack() as waits:
            if account is not None:
                await waits.enter_async_context(self._of_account.acquired(subjects[-1][1]))
            await waits.enter_async_context(self._of_address.acquired(network))
            async with self._counted(*subjects):
                yield

    @asynccontextmanager
    async def second_factor(self, staff_id: str) -> AsyncIterator[None]:
        """Wraps a check of six digits; counted by staff member, for all addresses. Raises: TooMany."""
        async with self._counted(("second_factor", staff_id)):
            yield

    @asynccontextmanager
    async def _counted(self, *subjects: tuple[str, str]) -> AsyncIterator[None]:
        taken = await self._take(*subjects)
        try:
            yield
        except FAILURES:
            raise
        except BaseException:
            await self._give_back(taken)
            raise
        await self._give_back(taken)

    async def ask_link(self, account: str, address: str) -> None:
        """Counts one recovery e-mail to an address, with or without an account. Raises: TooMany."""
        await self._take(("link_address", subject_of(address)), *_of_account("link", account, ""))

    async def account_mail(self, account: str, address: str) -> None:
        """Counts one e-mail about a change of an account to its e-mail address. Raises: TooMany."""
        network = subject_of(address)
        await self._take(("account_mail_address", network), *_of_account("account_mail", account, ""))

    async def _take(self, *subjects: tuple[str, str]) -> list[int]:
        """Counts all subjects or none. The address is locked first, to avoid deadlocks.

        A subject uses at most one connection of this process, and does not wait for a lock above the limit.
        """
        every = [await self._values(*subject) for subject in subjects]
        async with AsyncExitStack() as waits:
            for one in subjects:
                await waits.enter_async_context(self._takings.acquired(one))
            await self._raise_if_limited(every)
            async with self._db.transaction() as on:
                for values in every:
                    lock = {"kind": values["kind"], "subject": values["subject"]}
                    await self._sql.run("lock_subject", on=on, **lock)
                await self._raise_if_limited(every, on)
                return [await self._sql.value("count_guess", on=on, **values) for values in every]

    async def _raise_if_limited(self, every: list[dict[str, Any]], on: Transaction | None = None) -> None:
        waits = [await self._sql.value("wait_seconds", on=on, **values) for values in every]
        wait = max((wait for wait in waits if wait is not None), default=None)
        if wait is not None:
            raise TooMany(retry_after=max(1, math.ceil(wait)))

    async def _give_back(self, taken: list[int]) -> None:
        await self._sql.run("give_back", guess_ids=taken)

    async def mark(self, kind: str, subject: str) -> str:
        """What is stored: an id of a user as it is, anything else as a keyed digest."""
        return subject if is_id(subject) else (await self._secret.digest(f"guess {kind}", subject)).hex()[:32]

    async def _values(self, kind: str, subject: str) -> dict[str, Any]:
        allowed = self._allowed[kind]
        return {
            "kind": kind,
            "subject": await self.mark(kind, subject),
            "most": allowed.most,
            "window": allowed.seconds,
            "now": self._clock.frozen,
        }


def _semaphore(at_once: int, seconds: float = WAIT_SECONDS) -> KeyedSemaphore:
    return KeyedSemaphore(at_once, most_waiting=MOST_WAITING, seconds=seconds, refusal=TooMany)


def _of_account(kind: str, account: str | None, network: str) -> list[tuple[str, str]]:
    return [] if account is None else [(kind, f"{account} {network}")]
