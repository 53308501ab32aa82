"""Bans: who may not be here, by which rule, why, how long, and who said so.

Keeps one standing ban a person. Promises that a ban is in force within a second everywhere: sessions end in
its own transaction, sockets are told and closed by news, calls and rings end, and the sweep of every process
reads the newest bans from PostgreSQL, so that lost news lets nobody stay. What a moderator decides about a
ban is decided about the reports behind it. Refuses with NotFound, Conflict (over already), Invalid.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from models import keys
from models.address_bans import AddressBans
from models.audit import Audit
from models.ban_notices import BanNotices, Kind, Notice, StandingBan
from models.bus import Bus
from models.clock import Clock
from models.db import Db, Transaction
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id, new_id
from models.news import BannedNews, News
from models.partings import Partings
from models.sessions import BANNED, Sessions

LOOK_BACK = timedelta(seconds=5)
APPEALED = "They have appealed against the ban that stands. Decide the appeal first."
JUDGED_ALREADY = "Somebody has judged this report meanwhile. Look at it again."
AUTOMATIC = "Several people reported you. A moderator will look at it; until then you cannot take part."
MOST_WORDS = 500


class Ban(StandingBan, frozen=True):
    """A ban as moderators see it. `decided_by` is None for one that came by itself."""

    created_at: datetime
    decided_by: str | None
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_reason: str | None


class NewBan(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator says. Without `until` it is permanent."""

    user_id: str
    rule: str
    reason: str
    until: datetime | None = None
    report_ids: tuple[str, ...] = ()
    with_addresses: bool = False
    address_hours: int | None = None


class Bans:
    def __init__(
        self,
        db: Db,
        bus: Bus,
        clock: Clock,
        news: News,
        sessions: Sessions,
        notices: BanNotices,
        address_bans: AddressBans,
        partings: Partings,
        audit: Audit,
    ) -> None:
        self._db, self._bus, self._clock, self._news = db, bus, clock, news
        self._sessions, self._notices = sessions, notices
        self._address_bans, self._partings, self._audit = address_bans, partings, audit
        self._sql = db.statements("bans")

    async def get(self, ban_id: str) -> Ban:
        """Raises NotFound."""
        found = await self._sql.one("find", Ban, ban_id=ban_id) if is_id(ban_id) else None
        if found is None:
            raise NotFound("There is no such ban.")
        return found

    async def of_user(self, user_id: str) -> list[Ban]:
        """All of a person's, newest first."""
        return await self._sql.all("of_user", Ban, user_id=user_id)

    # -- what moderators decide --

    async def decide(self, new: NewBan, moderator_id: str) -> StandingBan:
        """A new ban, in the place of one that stands.

        Raises NotFound, Invalid (its words, its end), Conflict (an appeal waits, a report is judged already).
        """
        check_words(rule=new.rule, reason=new.reason)
        if new.until is not None and new.until <= self._clock.now():
            raise Invalid(until="Choose a time that is yet to come.")
        async with self._db.transaction() as on:
            await self.lock_person(new.user_id, on=on)
            await self._leave_appeals(new.user_id, on)
            await self._make_room(new.user_id, moderator_id, on)
            ban = await self._create(new, moderator_id, on)
            if new.with_addresses:
                await self._address_bans.ban(ban.ban_id, new.address_hours, on=on)
            if await self._judge(ban.ban_id, moderator_id, "upheld", on) < len(new.report_ids):
                raise Conflict(JUDGED_ALREADY)
            await self._audit.write(
                moderator_id, action_of(ban, new), f"user {new.user_id}", new.reason, on=on
            )
        await self.enforce(ban)
        return ban

    async def make_permanent(self, ban_id: str, moderator_id: str, reason: str) -> Ban:
        """Upholds the reports behind it. Raises NotFound, Conflict (no longer stands), Invalid."""
        check_words(reason=reason)
        async with self._db.transaction() as on:
            await self._lock(ban_id, on)
            values = {"ban_id": ban_id, "moderator_id": moderator_id}
            if not await self._sql.run("make_permanent", on=on, reason=reason, **values):
                raise Conflict("This ban is over.")
            await self._sql.run("banned_by", on=on, **values)
            await self._judge(ban_id, moderator_id, "upheld", on)
            user_id = await self._sql.value("person_of", on=on, ban_id=ban_id)
            await self._audit.write(moderator_id, "ban.make_permanent", f"user {user_id}", reason, on=on)
        return await self.get(ban_id)

    async def lift(
        self, ban_id: str, moderator_id: str, reason: str, *, on: Transaction | None = None
    ) -> None:
        """Clears it: its address bans end with it, and the reports behind it are dismissed.

        Raises NotFound, Conflict, Invalid.
        """
        check_words(reason=reason)
        if on is None:
            async with self._db.transaction() as own:
                return await self.lift(ban_id, moderator_id, reason, on=own)
        await self._lock(ban_id, on)
        values = {"ban_id": ban_id, "moderator_id": moderator_id, "now": self._clock.frozen}
        if not await self._sql.run("lift", on=on, reason=reason, **values):
            raise Conflict("This ban is over.")
        await self._judge(ban_id, moderator_id, "dismissed", on)
        user_id = await self._sql.value("person_of", on=on, ban_id=ban_id)
        return await self._audit.write(moderator_id, "ban.lift", f"user {user_id}", reason, on=on)

    # -- what happens by itself --

    async def suspend(
        self, user_id: str, rule: str, report_ids: Iterable[str], *, on: Transaction
    ) -> StandingBan | None:
        """Until a moderator has looked; the caller has locked the person. `enforce` after the commit.

        None: a ban stands already.
        """
        await self._make_room(user_id, None, on)
        new = NewBan(user_id=user_id, rule=rule, reason=AUTOMATIC, report_ids=tuple(report_ids))
        return await self._insert(new, "temporary", None, on)

    async def enforce(self, ban: StandingBan) -> None:
        """Sockets are told and closed, a ring and a call end, and the queue forgets the person."""
        notice = await self._notices.notice(ban)
        self._news.about_user(ban.user_id, self._banned_news(notice))
        await self._partings.remove(ban.user_id)

    async def sweep(self) -> None:
        """Those of the last seconds once more, on this process: whatever news was lost."""
        for notice in await self._notices.recent(self._clock.now() - LOOK_BACK):
            user_id = notice.ban.user_id
            news = msgspec.json.encode(self._banned_news(notice))
            self._bus.tell_here(keys.user_channel(user_id), news)
            await self._partings.remove(user_id)

    @staticmethod
    def _banned_news(notice: Notice) -> BannedNews:
        return BannedNews(frame=msgspec.Raw(msgspec.json.encode(notice.told)))

    # -- inside a transaction --

    async def lock_person(self, user_id: str, *, on: Transaction) -> None:
        """One change of a person's bans at a time. Raises NotFound."""
        found = await self._sql.value("lock_user", on=on, user_id=user_id) if is_id(user_id) else None
        if found is None:
            raise NotFound("There is no such person.")

    async def _lock(self, ban_id: str, on: Transaction) -> None:
        user_id = await self._sql.value("person_of", on=on, ban_id=ban_id) if is_id(ban_id) else None
        if user_id is None:
            raise NotFound("There is no such ban.")
        await self.lock_person(user_id, on=on)

    async def _leave_appeals(self, user_id: str, on: Transaction) -> None:
        """Nobody gets around an appeal by putting another ban in the place of theirs. Raises Conflict."""
        await self._sql.run("lock_standing", on=on, user_id=user_id)
        if await self._sql.value("has_appealed", on=on, user_id=user_id, now=self._clock.frozen):
            raise Conflict(APPEALED)

    async def _make_room(self, user_id: str, moderator_id: str | None, on: Transaction) -> None:
        values = {"user_id": user_id, "moderator_id": moderator_id, "now": self._clock.frozen}
        await self._sql.run("make_room", on=on, **values)

    async def _create(self, new: NewBan, moderator_id: str, on: Transaction) -> StandingBan:
        kind: Kind = "temporary" if new.until else "permanent"
        ban = await self._insert(new, kind, moderator_id, on)
        assert ban is not None, "room was made under the lock"
        return ban

    async def _insert(
        self, new: NewBan, kind: Kind, moderator_id: str | None, on: Transaction
    ) -> StandingBan | None:
        ban_id = new_id()
        values: dict[str, Any] = {"ban_id": ban_id, "user_id": new.user_id, "rule": new.rule, "kind": kind}
        values |= {"reason": new.reason, "until_at": new.until, "decided_by": moderator_id}
        values |= {"appeal_hash": await self._notices.token_hash(ban_id), "now": self._clock.frozen}
        ban = await self._sql.one("create", StandingBan, on=on, **values)
        if ban is not None:
            await self._sql.run("consider", on=on, ban_id=ban_id, report_ids=list(new.report_ids))
            await self._sessions.end_others(new.user_id, None, BANNED, on=on)
        return ban

    async def _judge(self, ban_id: str, moderator_id: str, verdict: str, on: Transaction) -> int:
        """How many reports that was; those that are judged already stay as they are."""
        values = {"ban_id": ban_id, "moderator_id": moderator_id, "now": self._clock.frozen}
        return await self._sql.run("judge_reports", on=on, verdict=verdict, **values)


def action_of(ban: StandingBan, new: NewBan) -> str:
    """For the audit log: `ban.temporary`, `ban.permanent.addresses`, …"""
    return f"ban.{ban.kind}{'.addresses' if new.with_addresses else ''}"


def check_words(**words: str) -> None:
    """Raises Invalid for what is empty or too long."""
    faults = {
        name: f"Write 1 to {MOST_WORDS} characters."
        for name, text in words.items()
        if not 1 <= len(text.strip()) <= MOST_WORDS
    }
    if faults:
        raise Invalid(**faults)
