"""Reports of one user about another, with the evidence that the reporter chose to attach.

There is one report per pair. A report about a user met in a call or a ring counts; one about a card is only
reviewed. Reporter and reported no longer see each other. Attached chat lines are those of the named call, and
a picture is stored only with the reporter's consent, re-encoded as JPEG. Enough reporters in good standing
(`models.safety.reputation`) cause one ban until a moderator decides, also for simultaneous reports. Unknown
users, strangers and second reports get the same answer. Raises: Invalid, NotFound (a call of others, or with
another user), PaymentRequired, TooMany, TooLarge, UnsupportedMedia.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from models.broadcasts import Broadcasts
from models.calls.calls import Calls
from models.clock import Clock
from models.errors import Invalid, NotFound, PaymentRequired
from models.ids import is_id, new_id
from models.postgres.database import Db, Transaction
from models.profiles.selfies import Selfies
from models.safety.ban_notices import ActiveBan
from models.safety.bans import Bans
from models.safety.blocks import check_other
from models.safety.interruptions import Interruptions
from models.safety.reputation import OpenReport, counted, rule_of
from models.security.member import Member
from models.security.rate_limits import RateLimits
from models.settings.config import Config
from models.turns import Turns

REASONS = ("nudity", "harassment", "minor", "fake", "spam", "other")
MOST_CHARACTERS = 1000
MOST_LINES = 100
Source = Literal["met", "card"]


class NewReport(msgspec.Struct, frozen=True, kw_only=True):
    """`frame` is a picture as it was sent; with it goes `has_consent`."""

    user_id: str
    reason: str
    text: str = ""
    call_id: str | None = None
    message_ids: tuple[str, ...] = ()
    frame: bytes | None = None
    has_consent: bool = False


class Reports:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        broadcasts: Broadcasts,
        calls: Calls,
        selfies: Selfies,
        rate_limits: RateLimits,
        interruptions: Interruptions,
        bans: Bans,
    ) -> None:
        self._db, self._clock, self._config, self._broadcasts = db, clock, config, broadcasts
        self._calls, self._selfies, self._rate_limits = calls, selfies, rate_limits
        self._interruptions, self._bans = interruptions, bans
        self._turns = Turns()
        self._sql = db.statements("safety.reports")

    async def file(self, reporter: Member, new: NewReport) -> None:
        """Files the report at most once, and bans the user if it reaches the threshold."""
        check(reporter.user_id, new)
        await self._rate_limits.report(reporter.user_id)
        await self._check_call(reporter.user_id, new)
        frame = await self._selfies.jpeg(reporter.user_id, new.frame) if new.frame else None
        await self._interruptions.leave_ring(reporter.user_id, new.user_id)
        source = await self._source(reporter, new)

        async def write(on: Transaction) -> tuple[bool, ActiveBan | None]:
            is_new = await self._write(reporter.user_id, new, source, frame, on)
            return is_new, await self._weigh(new.user_id, on) if is_new and source == "met" else None

        async with self._turns.of(new.user_id):
            is_new, ban = await self._db.transact(write)
        if is_new:
            self._broadcasts.keep_apart(reporter.user_id, new.user_id, is_hidden=True)
        if ban is not None:
            await self._bans.enforce(ban)

    async def _check_call(self, user_id: str, new: NewReport) -> None:
        """Somebody else's call answers like one that does not exist."""
        if new.call_id is None:
            return
        call = await self._calls.get_own(new.call_id, user_id)
        if new.user_id not in call.people:
            raise NotFound("There is no such call of yours.")

    async def _source(self, reporter: Member, new: NewReport) -> Source:
        """Who has no access sees no cards."""
        if await self._sql.value("have_met", one_id=reporter.user_id, other_id=new.user_id):
            return "met"
        if reporter.access == "unpaid":
            raise PaymentRequired
        return "card"

    async def _write(
        self, reporter_id: str, new: NewReport, source: Source, frame: bytes | None, on: Transaction
    ) -> bool:
        """False: there is nobody, or it has been said before."""
        if await self._sql.value("lock_reported", on=on, user_id=new.user_id) is None:
            return False
        values: dict[str, Any] = {"reporter_id": reporter_id, "reported_id": new.user_id, "source": source}
        values |= {"reason": new.reason, "text": new.text.strip() or None, "call_id": new.call_id}
        now = self._clock.frozen
        report_id = await self._sql.value("create", on=on, report_id=new_id(), now=now, **values)
        if report_id is None:
            return False
        await self._attach(report_id, new, frame, on)
        return True

    async def _attach(self, report_id: str, new: NewReport, frame: bytes | None, on: Transaction) -> None:
        if new.call_id is not None and new.message_ids:
            lines = {"call_id": new.call_id, "message_ids": list(new.message_ids)}
            await self._sql.run("attach_lines", on=on, report_id=report_id, **lines)
        if frame is not None:
            await self._sql.run("attach_frame", on=on, report_id=report_id, bytes=frame)

    async def _weigh(self, user_id: str, on: Transaction) -> ActiveBan | None:
        """The ban that this report causes, under the lock of the reported user."""
        reports = counted(await self._sql.all("open_about", OpenReport, on=on, reported_id=user_id))
        if len(reports) < self._config.ban_reporters:
            return None
        report_ids = [report.report_id for report in reports]
        return await self._bans.suspend(user_id, rule_of(reports), report_ids, on=on)


def check(user_id: str, new: NewReport) -> None:
    """Raises Invalid, every faulty field at once."""
    check_other(user_id, new.user_id)
    faults: dict[str, str] = {}
    if new.reason not in REASONS:
        faults["reason"] = "Choose what it is about."
    if len(new.text.strip()) > MOST_CHARACTERS or "\x00" in new.text:
        faults["text"] = f"Write at most {MOST_CHARACTERS} characters."
    if len(new.message_ids) > MOST_LINES or not all(map(is_id, new.message_ids)):
        faults["messageIds"] = f"Choose at most {MOST_LINES} messages of the call."
    if new.frame is not None and not new.has_consent:
        faults["frameConsent"] = "A picture is taken only when you agree to send it."
    if new.call_id is None and (new.message_ids or new.frame is not None):
        faults["callId"] = "Evidence belongs to a call."
    if new.call_id is not None and not is_id(new.call_id):
        raise NotFound("There is no such call of yours.")
    if faults:
        raise Invalid(**faults)
