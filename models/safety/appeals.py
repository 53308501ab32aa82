"""Appeals against bans, by a single-use token that needs no session.

A ban has at most one appeal. The moderator who decided the ban never decides its appeal (a constraint); if no
one else can, it goes to the operator by e-mail (`models.safety.decisions.handovers`), also on request. The
first decision counts, and overturning lifts the ban in the same transaction. The token continues to show the
result. Raises: NotFound (unknown token), Conflict (second appeal, or a ban that has ended).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

from models.clock import Clock
from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.ids import is_id
from models.mail.alerts import Alerts
from models.postgres.database import Db, UniqueViolation
from models.safety.ban_notices import BanKind
from models.safety.bans import Bans
from models.safety.decisions.decision_emails import DecisionEmails
from models.security.audit_log import Audit, staff_of
from models.security.tokens import hash_of
from models.visible_text import is_visible

AppealVerdict = Literal["upheld", "overturned"]
MOST_CHARACTERS = 2000
PAGE = 50
OTHER = "An appeal is decided by another moderator than the one who banned."


class Appeal(msgspec.Struct, frozen=True):
    """A ban and its appeal; `filed_at` is None until an appeal is filed."""

    ban_id: str
    user_id: str
    kind: BanKind
    rule: str
    reason: str
    until_at: datetime | None
    is_automatic: bool
    banned_at: datetime
    is_over: bool
    is_account: bool
    text: str | None
    filed_at: datetime | None
    verdict: AppealVerdict | None
    reply: str | None


class OpenAppeal(msgspec.Struct, frozen=True):
    """An appeal for moderators; `banned_by` may not decide it."""

    ban_id: str
    user_id: str
    name: str
    kind: BanKind
    rule: str
    reason: str
    until_at: datetime | None
    banned_at: datetime
    text: str
    filed_at: datetime
    banned_by: str | None
    handed_at: datetime | None


class Appeals:
    def __init__(
        self, db: Db, clock: Clock, bans: Bans, audit: Audit, alerts: Alerts, emails: DecisionEmails
    ) -> None:
        self._db, self._clock, self._bans, self._audit = db, clock, bans, audit
        self._alerts, self._emails = alerts, emails
        self._sql = db.statements("safety.appeals")

    async def get(self, token: str) -> Appeal:
        """The appeal of a token. Raises: NotFound."""
        found = await self._sql.one("find", Appeal, appeal_hash=hash_of(token), now=self._clock.frozen)
        if found is None:
            raise NotFound("This link does not lead to a ban. Copy all of it, from ?token= to its end.")
        return found

    async def file(self, token: str, text: str) -> None:
        """Files an appeal. Raises: NotFound, Invalid (`text`), Conflict."""
        appeal, text, now = await self.get(token), check_text(text), self._clock.frozen
        async with self._db.transaction() as on:
            if not await self._sql.run("file", on=on, appeal_hash=hash_of(token), text=text, now=now):
                raise Conflict("You have already appealed, or the ban has ended.")
            if await self._sql.run("hand_over_if_alone", on=on, ban_id=appeal.ban_id):
                await self._emails.write("ban_appeal", appeal.ban_id, on=on)
            await self._alerts.note_waiting("appeal", on=on)

    async def queue(self, most: int = PAGE) -> list[OpenAppeal]:
        """Open appeals, oldest first."""
        return await self._sql.all("queue", OpenAppeal, most=most, now=self._clock.frozen)

    async def open(self, ban_id: str) -> OpenAppeal:
        """An open appeal. Raises: NotFound."""
        found = None
        if is_id(ban_id):
            found = await self._sql.one("open", OpenAppeal, ban_id=ban_id, now=self._clock.frozen)
        if found is None:
            raise NotFound("There is no open appeal against this ban.")
        return found

    async def hand_over(self, ban_id: str, moderator_id: str) -> None:
        """Hands an appeal to the operator by e-mail. Raises: NotFound, Conflict (done already)."""
        await self.open(ban_id)
        async with self._db.transaction() as on:
            if not await self._sql.run("hand_over", on=on, ban_id=ban_id, now=self._clock.frozen):
                raise Conflict("It was handed over already.")
            await self._emails.write("ban_appeal", ban_id, on=on)
            await self._audit.write(moderator_id, "appeal.hand_over", f"ban {ban_id}", on=on)

    async def judge(self, ban_id: str, moderator_id: str, verdict: str, reply: str) -> None:
        """Decides with a verdict from a form. Raises: Invalid (`verdict`), and the errors of `decide`."""
        await self.decide(ban_id, moderator_id, verdict_of(verdict, "Choose whether the ban stays."), reply)

    async def decide(self, ban_id: str, moderator_id: str, verdict: AppealVerdict, reply: str) -> None:
        """Decides an appeal; overturning lifts the ban. The operator decides only what was handed over.

        Raises: NotFound, NotAllowed (their own ban), Conflict (already decided), Invalid.
        """
        if len(reply) > MOST_CHARACTERS:
            raise Invalid(reply=f"Write at most {MOST_CHARACTERS} characters.")
        ban = await self._bans.get(ban_id)
        async with self._db.transaction() as on:
            await self._bans.lock_person(ban.user_id, on=on)
            values = {"ban_id": ban_id, "moderator_id": staff_of(moderator_id), "now": self._clock.frozen}
            try:
                is_first = await self._sql.run(
                    "decide", on=on, verdict=verdict, reply=reply or None, **values
                )
            except UniqueViolation as violation:
                raise NotAllowed(OTHER) from violation
            if not is_first:
                raise Conflict("There is no open appeal against this ban.")
            if verdict == "overturned":
                await self._bans.lift(ban_id, moderator_id, "Appeal granted.", on=on)
            await self._audit.write(moderator_id, f"appeal.{verdict}", f"user {ban.user_id}", reply, on=on)


def check_text(text: str) -> str:
    """The text of an appeal. Raises: Invalid (`text`)."""
    if not is_visible(text) or len(text.strip()) > MOST_CHARACTERS or "\x00" in text:
        raise Invalid(text=f"Write 1 to {MOST_CHARACTERS} characters.")
    return text.strip()


def verdict_of(typed: str, choose: str) -> AppealVerdict:
    """Raises: Invalid (`verdict`)."""
    for known in get_args(AppealVerdict):
        if typed == known:
            verdict: AppealVerdict = known
            return verdict
    raise Invalid(verdict=choose)
