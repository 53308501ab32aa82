"""Rate limits of requests, guesses and attempts.

Request times are in Redis (`models.security.request_windows`), wrong guesses in PostgreSQL, so that they
survive an emptied Redis. Concurrent attempts cannot exceed a limit. An IPv6 address counts as its /64, and
all of a /48 together count as `NETWORKS` of them: a customer may have one. Raises: TooMany with the seconds
to wait; Unavailable if Redis is down.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

from models.clock import Clock
from models.concurrency.keyed_semaphore import WAIT_SECONDS, KeyedSemaphore
from models.errors import Conflict, NotSignedIn, TooMany
from models.ids import is_id
from models.postgres.database import Db, Transaction
from models.redis.client import Bus
from models.security.addresses import counted_of, subject_of
from models.security.request_windows import RequestWindows
from models.security.site_secret import SiteSecret
from models.settings.config import Config

GUESS_SECONDS = 3600
DAY_SECONDS = 24 * 3600
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


class LimitSubject(NamedTuple):
    """What is counted, with `times` the limit of its kind."""

    kind: str
    text: str
    times: int = 1


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
        self._windows = RequestWindows(bus, config)
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
        for one in counted_of(subject):
            await self._windows.hit(kind, one.text, one.times)

    async def guess(self, kind: str, subject: str) -> None:
        """Counts a wrong guess. Successful look-ups are never counted or limited.

        Raises: TooMany over the limit, also for concurrent guesses.
        """
        await self._take(*_of_address(kind, subject))

    async def report(self, user_id: str) -> None:
        """Counts one report by a user; the count survives an emptied Redis. Raises: TooMany."""
        await self._take(LimitSubject("report", user_id))

    async def notice(self, address: str) -> None:
        """Counts one notice from an address; the count survives an emptied Redis. Raises: TooMany."""
        await self._take(*_of_address("notice", address))

    @asynccontextmanager
    async def export(self, user_id: str) -> AsyncIterator[None]:
        """Wraps an export of a user's own data. A failed one does not count. Raises: TooMany."""
        taken = await self._take(LimitSubject("export", user_id))
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
        subjects = [*_of_address("sign_in_address", address), *_of_account("sign_in", account, network)]
        async with AsyncExitStack() as waits:
            if account is not None:
                await waits.enter_async_context(self._of_account.acquired(subjects[-1].text))
            await waits.enter_async_context(self._of_address.acquired(network))
            async with self._counted(*subjects):
                yield

    @asynccontextmanager
    async def second_factor(self, staff_id: str) -> AsyncIterator[None]:
        """Wraps a check of six digits; counted by staff member, for all addresses. Raises: TooMany."""
        async with self._counted(LimitSubject("second_factor", staff_id)):
            yield

    @asynccontextmanager
    async def _counted(self, *subjects: LimitSubject) -> AsyncIterator[None]:
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
        await self._take(*_of_address("link_address", address), *_of_account("link", account, ""))

    async def account_mail(self, account: str, address: str) -> None:
        """Counts one e-mail about a change of an account to its e-mail address. Raises: TooMany."""
        of_address = _of_address("account_mail_address", address)
        await self._take(*of_address, *_of_account("account_mail", account, ""))

    async def _take(self, *subjects: LimitSubject) -> list[int]:
        """Counts all subjects or none. The address is locked first, to avoid deadlocks.

        A subject uses at most one connection of this process, and does not wait for a lock above the limit.
        """
        every = [await self._values(subject) for subject in subjects]
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

    async def _values(self, subject: LimitSubject) -> dict[str, Any]:
        allowed = self._allowed[subject.kind]
        return {
            "kind": subject.kind,
            "subject": await self.mark(subject.kind, subject.text),
            "most": allowed.most * subject.times,
            "window": allowed.seconds,
            "now": self._clock.frozen,
        }


def _semaphore(at_once: int, seconds: float = WAIT_SECONDS) -> KeyedSemaphore:
    return KeyedSemaphore(at_once, most_waiting=MOST_WAITING, seconds=seconds, refusal=TooMany)


def _of_address(kind: str, address: str) -> list[LimitSubject]:
    return [LimitSubject(kind, one.text, one.times) for one in counted_of(address)]


def _of_account(kind: str, account: str | None, network: str) -> list[LimitSubject]:
    return [] if account is None else [LimitSubject(kind, f"{account} {network}")]
