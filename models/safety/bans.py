"""Bans: by which rule, why, for how long, and decided by whom.

A user has at most one active ban. A ban is in force within a second in every process: its transaction ends
the sessions, an event closes the sockets, calls and rings end, and the sweep of every process reads the
newest bans from PostgreSQL, so a lost event does not matter. A decision about a ban also decides the reports
behind it. Raises: NotFound, Conflict (already ended), Invalid.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from models.broadcasts import BanEvent, Broadcasts
from models.business_events import record
from models.clock import Clock
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id, new_id
from models.postgres.database import Db, Transaction
from models.redis import keys
from models.redis.client import Bus
from models.safety.address_bans import AddressBans
from models.safety.ban_notices import ActiveBan, BanKind, BanNotice, BanNotices
from models.safety.decisions.decision_emails import DecisionEmails
from models.safety.interruptions import Interruptions
from models.security.audit_log import Audit, staff_of
from models.security.sessions import BANNED, Sessions

LOOK_BACK = timedelta(seconds=5)
APPEALED = "This user has appealed against the active ban. Decide the appeal first."
JUDGED_ALREADY = "Another moderator has decided this report in the meantime. Look at it again."
AUTOMATIC = "Several people reported you. A moderator will look into it. For at most a day you cannot join."
AUTOMATIC_FOR = timedelta(days=1)
MOST_WORDS = 500


class Ban(ActiveBan, frozen=True):
    """A ban as moderators see it. `decided_by` is None for an automatic ban."""

    created_at: datetime
    decided_by: str | None
    lifted_at: datetime | None
    lifted_by: str | None
    lifted_reason: str | None


class NewBan(msgspec.Struct, frozen=True, kw_only=True):
    """A moderator's decision. Without `until` the ban is permanent."""

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
        broadcasts: Broadcasts,
        sessions: Sessions,
        notices: BanNotices,
        address_bans: AddressBans,
        interruptions: Interruptions,
        audit: Audit,
        emails: DecisionEmails,
    ) -> None:
        self._db, self._bus, self._clock, self._broadcasts = db, bus, clock, broadcasts
        self._sessions, self._notices = sessions, notices
        self._address_bans, self._interruptions, self._audit = address_bans, interruptions, audit
        self._emails = emails
        self._sql = db.statements("safety.bans")

    async def get(self, ban_id: str) -> Ban:
        """Raises NotFound."""
        found = await self._sql.one("find", Ban, ban_id=ban_id) if is_id(ban_id) else None
        if found is None:
            raise NotFound("There is no such ban.")
        return found

    async def of_user(self, user_id: str) -> list[Ban]:
        """All bans of a user, newest first."""
        return await self._sql.all("of_user", Ban, user_id=user_id)

    # -- what moderators decide --

    async def decide(self, new: NewBan, moderator_id: str) -> ActiveBan:
        """Creates a ban; it replaces the active one.

        Raises: NotFound, Invalid (texts, end), Conflict (an appeal is open, a report is already decided).
        """
        check_words(rule=new.rule, reason=new.reason)
        if new.until is not None and new.until <= self._clock.now():
            raise Invalid(until="Choose a time in the future.")
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
        """Makes a ban permanent and upholds its reports. Raises: NotFound, Conflict (has ended), Invalid."""
        check_words(reason=reason)
        async with self._db.transaction() as on:
            await self._lock(ban_id, on)
            values = {"ban_id": ban_id, "moderator_id": moderator_id}
            now = self._clock.frozen
            if not await self._sql.run("make_permanent", on=on, reason=reason, now=now, **values):
                raise Conflict("This ban has ended.")
            await self._sql.run("banned_by", on=on, **values)
            await self._judge(ban_id, moderator_id, "upheld", on)
            await self._emails.write("ban", ban_id, on=on)
            user_id = await self._sql.value("person_of", on=on, ban_id=ban_id)
            await self._audit.write(moderator_id, "ban.make_permanent", f"user {user_id}", reason, on=on)
        return await self.get(ban_id)

    async def lift(
        self, ban_id: str, moderator_id: str, reason: str, *, on: Transaction | None = None
    ) -> None:
        """Lifts a ban, ends its address bans and dismisses its reports.

        Raises: NotFound, Conflict, Invalid.
        """
        check_words(reason=reason)
        if on is None:
            async with self._db.transaction() as own:
                return await self.lift(ban_id, moderator_id, reason, on=own)
        await self._lock(ban_id, on)
        values = {"ban_id": ban_id, "moderator_id": staff_of(moderator_id), "now": self._clock.frozen}
        if not await self._sql.run("lift", on=on, reason=reason, **values):
            raise Conflict("This ban has ended.")
        await self._judge(ban_id, moderator_id, "dismissed", on)
        user_id = await self._sql.value("person_of", on=on, ban_id=ban_id)
        return await self._audit.write(moderator_id, "ban.lift", f"user {user_id}", reason, on=on)

    # -- automatic --

    async def suspend(
        self, user_id: str, rule: str, report_ids: Iterable[str], *, on: Transaction
    ) -> ActiveBan | None:
        """Bans a user for at most a day, or until a moderator decides. The caller holds `lock_person` and
        calls `enforce` after the commit. None if a ban is active already.
        """
        await self._make_room(user_id, None, on)
        until, ids = self._clock.now() + AUTOMATIC_FOR, tuple(report_ids)
        new = NewBan(user_id=user_id, rule=rule, reason=AUTOMATIC, until=until, report_ids=ids)
        return await self._insert(new, "temporary", None, on)

    async def enforce(self, ban: ActiveBan) -> None:
        """Closes the user's sockets with the notice, ends ring and call, and removes them from the queue."""
        record("ban")
        notice = await self._notices.notice(ban)
        self._broadcasts.publish_to_user(ban.user_id, self._ban_event(notice))
        await self._interruptions.remove(ban.user_id)

    async def sweep(self) -> None:
        """Enforces the bans of the last seconds again in this process, in case an event was lost."""
        for notice in await self._notices.recent(self._clock.now() - LOOK_BACK):
            user_id = notice.ban.user_id
            self._bus.subscriber.deliver(keys.user_channel(user_id), self._ban_event(notice))
            await self._interruptions.remove(user_id)

    @staticmethod
    def _ban_event(notice: BanNotice) -> BanEvent:
        return BanEvent(frame=msgspec.Raw(msgspec.json.encode(notice.message)))

    # -- inside a transaction --

    async def lock_person(self, user_id: str, *, on: Transaction) -> None:
        """Serialises changes of a user's bans. Raises: NotFound."""
        found = await self._sql.value("lock_user", on=on, user_id=user_id) if is_id(user_id) else None
        if found is None:
            raise NotFound("There is no such user.")

    async def _lock(self, ban_id: str, on: Transaction) -> None:
        user_id = await self._sql.value("person_of", on=on, ban_id=ban_id) if is_id(ban_id) else None
        if user_id is None:
            raise NotFound("There is no such ban.")
        await self.lock_person(user_id, on=on)

    async def _leave_appeals(self, user_id: str, on: Transaction) -> None:
        """A ban with an open appeal cannot be replaced. Raises: Conflict."""
        await self._sql.run("lock_standing", on=on, user_id=user_id)
        if await self._sql.value("has_appealed", on=on, user_id=user_id, now=self._clock.frozen):
            raise Conflict(APPEALED)

    async def _make_room(self, user_id: str, moderator_id: str | None, on: Transaction) -> None:
        values = {"user_id": user_id, "moderator_id": moderator_id, "now": self._clock.frozen}
        await self._sql.run("make_room", on=on, **values)

    async def _create(self, new: NewBan, moderator_id: str, on: Transaction) -> ActiveBan:
        kind: BanKind = "temporary" if new.until else "permanent"
        ban = await self._insert(new, kind, moderator_id, on)
        assert ban is not None, "room was made under the lock"
        return ban

    async def _insert(
        self, new: NewBan, kind: BanKind, moderator_id: str | None, on: Transaction
    ) -> ActiveBan | None:
        ban_id = new_id()
        values: dict[str, Any] = {"ban_id": ban_id, "user_id": new.user_id, "rule": new.rule, "kind": kind}
        values |= {"reason": new.reason, "until_at": new.until, "decided_by": moderator_id}
        values |= {"appeal_hash": await self._notices.token_hash(ban_id), "now": self._clock.frozen}
        ban = await self._sql.one("create", ActiveBan, on=on, **values)
        if ban is not None:
            await self._sql.run("consider", on=on, ban_id=ban_id, report_ids=list(new.report_ids))
            await self._sessions.end_others(new.user_id, None, BANNED, on=on)
            await self._emails.write("ban", ban_id, on=on)
        return ban

    async def _judge(self, ban_id: str, moderator_id: str, verdict: str, on: Transaction) -> int:
        """Decides the open reports behind a ban and returns their number."""
        values = {"ban_id": ban_id, "moderator_id": staff_of(moderator_id), "now": self._clock.frozen}
        report_ids = await self._sql.all("judge_reports", str, on=on, verdict=verdict, **values)
        await self._emails.write("outcome", *report_ids, on=on)
        return len(report_ids)


def action_of(ban: ActiveBan, new: NewBan) -> str:
    """For the audit log: `ban.temporary`, `ban.permanent.addresses`, …"""
    return f"ban.{ban.kind}{'.addresses' if new.with_addresses else ''}"


def check_words(**words: str) -> None:
    """Raises: Invalid for texts that are empty or too long."""
    faults = {
        name: f"Write 1 to {MOST_WORDS} characters."
        for name, text in words.items()
        if not 1 <= len(text.strip()) <= MOST_WORDS
    }
    if faults:
        raise Invalid(**faults)
