"""Retention: how long chat, reports, sessions, rings, addresses and inactive guests are kept.

Data older than its setting is deleted within an hour, a few hundred rows per statement, by any process (rows
locked by another are skipped). A failure to delete one kind of data does not stop the others. What a restored
backup brings back is deleted again in the next round.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from models.accounts.deletions import Deletions
from models.clock import Clock
from models.errors import Unavailable
from models.postgres.database import Db
from models.settings.config import Config

logger = logging.getLogger(__name__)
BATCH = 300
MOST_BATCHES = 100
# Deleting a guest takes some twenty statements, so at most a thousand guests a round.
MOST_GUESTS, GUEST_BATCHES = 50, 20


class Retention:
    def __init__(self, db: Db, clock: Clock, config: Config, deletions: Deletions) -> None:
        self._clock, self._config, self._deletions = clock, config, deletions
        self._sql = db.statements("retention")

    async def sweep(self) -> None:
        """Deletes everything that is due. Raises: Unavailable."""
        for work in (self._words, self._judged, self._meetings, self._sign_ins, self._money, self._people):
            try:
                await work()
            except Unavailable:
                raise
            except Exception:
                logger.exception("expired data could not be deleted")

    async def _words(self) -> None:
        """Chat messages and shared contacts."""
        days, now = self._config.chat_days, self._clock.frozen
        await _all(lambda: self._sql.run("chat", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("handles", days=days, most=BATCH, now=now))

    async def _judged(self) -> None:
        """Reports with their evidence, expired bans (or those of deleted users), appeals, notices."""
        days, now = self._config.report_days, self._clock.frozen
        await _all(lambda: self._sql.run("reports", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("removals", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("held_media", most=BATCH))
        await _all(lambda: self._sql.run("words_of_the_deleted", most=BATCH))
        await _all(lambda: self._sql.run("appeals", days=days, most=BATCH, now=now))
        seen = self._config.address_days
        marks: dict[str, Any] = {"days": days, "unreported_days": min(seen, days)}
        await _all(lambda: self._sql.run("person_marks", most=BATCH, now=now, **marks))
        await _all(lambda: self._sql.run("seen_devices", days=seen, most=BATCH, now=now))
        await _all(lambda: self._sql.run("removed_pictures", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("alerts", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("notices", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("bans", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("undecided_bans", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("banned_emails", most=BATCH, now=now))

    async def _meetings(self) -> None:
        """Rings without a call, expired cooldowns, calls outside every user's history."""
        days, now = self._config.invite_days, self._clock.frozen
        await _all(lambda: self._sql.run("rings", days=days, most=BATCH, now=now))
        await _all(lambda: self._sql.run("cooldowns", most=BATCH, now=now))
        await _all(self._forget_calls)

    async def _forget_calls(self) -> int:
        call_ids = await self._sql.all("calls_of_nobody", str, most=BATCH)
        await self._sql.run("drop_calls", call_ids=call_ids)
        return len(call_ids)

    async def _sign_ins(self) -> None:
        """Sessions, failed sign-ins, links, rejected attempts: kept as long as abuse control needs them."""
        config, now = self._config, self._clock.frozen
        values: dict[str, Any] = {"days": config.ended_session_days, "unused": config.guest_unused_days}
        values |= {"member_days": config.member_days, "most": BATCH, "now": now}
        await _all(lambda: self._sql.run("sessions", **values))
        await _all(lambda: self._sql.run("guesses", most=BATCH, now=now))
        await _all(lambda: self._sql.run("recovery_links", most=BATCH, now=now))
        await _all(lambda: self._sql.run("introduction_links", most=BATCH, now=now))
        await _all(lambda: self._sql.run("refusals", most=BATCH, now=now))
        await _all(lambda: self._sql.run("age_checks", most=BATCH, now=now))

    async def _money(self) -> None:
        """Ids of Stripe's events; payments are bookkeeping and stay."""
        days, now = self._config.event_days, self._clock.frozen
        await _all(lambda: self._sql.run("events", days=days, most=BATCH, now=now))

    async def _people(self) -> None:
        """Guests who can no longer sign in are deleted as if they had asked for it."""
        days = {"days": self._config.guest_unused_days, "member_days": self._config.member_days}
        values: dict[str, Any] = {"most": MOST_GUESTS, "now": self._clock.frozen} | days
        await _all(partial(self._forget_guests, values), MOST_GUESTS, GUEST_BATCHES)

    async def _forget_guests(self, values: dict[str, Any]) -> int:
        """Deletes inactive guests; a failure for one does not stop the others."""
        gone = 0
        for user_id in await self._sql.all("unused_guests", str, **values):
            try:
                await self._deletions.delete(user_id)
            except Unavailable:
                raise
            except Exception:
                logger.exception("an inactive guest could not be deleted")
            else:
                gone += 1
        return gone


async def _all(batch: Callable[[], Awaitable[int]], size: int = BATCH, most: int = MOST_BATCHES) -> None:
    """Runs batches until one is not full. The rest of a very large number waits for the next round."""
    for _ in range(most):
        if await batch() < size:
            return
