"""Reports of one user about another, with the evidence that the reporter chose to attach.

There is one open report per pair. A further report is added to it and can only make it graver. A report about
a user met in a connected call, or in a ring that the reporter received, counts; one about a card is only
reviewed. Reporter and reported no longer see each other. Attached chat lines are those of the named call, and
a picture is stored only with the reporter's consent, re-encoded as JPEG. A report holds what the card showed:
its media outlive their deletion until the report is deleted.

Enough weight of independent reporters (`models.safety.reputation`) causes one ban for at most a day, also for
simultaneous reports, and a report is counted in one automatic ban only. Two independent reports of an under-
age user hide the card until they are reviewed. Users can still be reported after their deletion. Unknown
users, deleted users and strangers get the same answer. Raises:
Invalid, NotFound (a call of others, or with another user), PaymentRequired, TooMany, TooLarge,
UnsupportedMedia.
"""

from __future__ import annotations

import uuid
from typing import Any, Literal

import msgspec

from models.broadcasts import Broadcasts
from models.business_events import record
from models.calls.calls import Calls
from models.clock import Clock
from models.concurrency.keyed_semaphore import KeyedSemaphore
from models.errors import Invalid, NotFound, PaymentRequired
from models.ids import is_id, new_id, report_reference
from models.mail.alerts import Alerts
from models.postgres.database import Db, Transaction
from models.profiles.decoded import Decoded
from models.profiles.selfies import Selfies
from models.safety import reputation
from models.safety.ban_notices import ActiveBan
from models.safety.bans import Bans
from models.safety.decisions.decision_emails import DecisionEmails
from models.safety.hidden_cards import HiddenCards
from models.safety.interruptions import Interruptions
from models.safety.reputation import OpenReport
from models.security.member import Member, check_other
from models.security.rate_limits import RateLimits
from models.security.site_secret import SiteSecret
from models.settings.config import Config

REASONS = ("nudity", "harassment", "minor", "fake", "spam", "other")
MOST_CHARACTERS = 1000
MOST_LINES = 100
Source = Literal["met", "card"]


class NewReport(msgspec.Struct, frozen=True, kw_only=True):
    """`frame` is a picture as it was sent; with it goes `has_consent`. `user_id` may be empty with a call."""

    user_id: str
    reason: str
    text: str = ""
    call_id: str | None = None
    message_ids: tuple[str, ...] = ()
    frame: bytes | None = None
    has_consent: bool = False


class Filed(msgspec.Struct, frozen=True):
    """The open report of a pair."""

    report_id: str
    reason: str
    source: Source
    call_id: str | None
    text: str | None

    def says(self, new: NewReport, source: Source) -> bool:
        """Whether a further report is a mere repetition."""
        same = (self.reason == new.reason, self.call_id == new.call_id or new.call_id is None)
        return (
            all(same) and (new.text.strip() or None) in (None, self.text) and source in ("card", self.source)
        )


class Effects(msgspec.Struct, frozen=True):
    """What a report has caused, to be enforced after the commit."""

    hides_card: bool = False
    ban: ActiveBan | None = None


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
        secret: SiteSecret,
        hidden_cards: HiddenCards,
        alerts: Alerts,
        emails: DecisionEmails,
    ) -> None:
        self._db, self._clock, self._config, self._broadcasts = db, clock, config, broadcasts
        self._calls, self._selfies, self._rate_limits = calls, selfies, rate_limits
        self._interruptions, self._bans = interruptions, bans
        self._secret, self._hidden_cards = secret, hidden_cards
        self._alerts, self._emails = alerts, emails
        self._semaphore = KeyedSemaphore()
        self._sql = db.statements("safety.reports")

    async def file(self, reporter: Member, new: NewReport) -> str:
        """Files the report, or adds it to the reporter's open one about the user, and acts on the weight of
        all. Returns the reference for the reporter; that of a report about an unknown user refers to nothing.
        """
        new = await self._named(reporter.user_id, new)
        check(reporter.user_id, new)
        await self._rate_limits.report(reporter.user_id)
        await self._check_call(reporter.user_id, new)
        frame = await self._selfies.jpeg(reporter.user_id, new.frame) if new.frame is not None else None
        await self._interruptions.leave_ring(reporter.user_id, new.user_id)
        source = await self._source(reporter, new)

        async def write(on: Transaction) -> tuple[str | None, Effects]:
            is_deleted = await self._sql.value("lock_reported", on=on, user_id=new.user_id)
            if is_deleted is None:
                return None, Effects()
            report_id = await self._write(reporter.user_id, new, source, frame, on)
            return report_id, Effects() if is_deleted else await self._weigh(new.user_id, on)

        async with self._semaphore.acquired(new.user_id):
            report_id, effects = await self._db.transact(write)
        if report_id is not None:
            record("report", new.reason)
            self._broadcasts.keep_apart(reporter.user_id, new.user_id, is_hidden=True)
        if effects.hides_card:
            self._hidden_cards.leave_screens(new.user_id)
        if effects.ban is not None:
            await self._bans.enforce(effects.ban)
        return report_reference(report_id or await self._no_report(reporter.user_id, new.user_id))

    async def _no_report(self, reporter_id: str, user_id: str) -> str:
        """The id of nothing; like a real one, it is the same when the report is repeated."""
        digest = await self._secret.digest("report", f"{reporter_id} {user_id}")
        return str(uuid.UUID(bytes=digest[:16], version=4))

    async def _named(self, user_id: str, new: NewReport) -> NewReport:
        """A deleted partner has no id in the history: the call names them. Raises: NotFound."""
        if new.user_id or new.call_id is None or not is_id(new.call_id):
            return new
        call = await self._calls.get_own(new.call_id, user_id)
        return msgspec.structs.replace(new, user_id=call.peer_of(user_id))

    async def _check_call(self, user_id: str, new: NewReport) -> None:
        """Another user's call answers like one that does not exist."""
        if new.call_id is None:
            return
        call = await self._calls.get_own(new.call_id, user_id)
        if new.user_id not in call.people:
            raise NotFound("There is no such call of yours.")

    async def _source(self, reporter: Member, new: NewReport) -> Source:
        """A card can be reported only by members with access, who see cards."""
        pair: dict[str, Any] = {"reporter_id": reporter.user_id, "reported_id": new.user_id}
        if await self._sql.value("have_met", **pair):
            return "met"
        if reporter.access == "unpaid":
            raise PaymentRequired
        return "card"

    async def _write(
        self, reporter_id: str, new: NewReport, source: Source, frame: Decoded | None, on: Transaction
    ) -> str:
        """The id of the open report. The reported user is locked."""
        pair = {"reporter_id": reporter_id, "reported_id": new.user_id}
        values: dict[str, Any] = {"reason": new.reason, "text": new.text.strip() or None, "source": source}
        values |= {"call_id": new.call_id, "now": self._clock.frozen}
        known = await self._sql.one("find_open", Filed, on=on, **pair)
        report_id = new_id() if known is None else known.report_id
        if known is None:
            await self._sql.run("create", on=on, report_id=report_id, **pair, **values)
            await self._emails.write("report", report_id, on=on)
            await self._alerts.note_waiting("report", on=on)
        elif not known.says(new, source):
            ids = {"addition_id": new_id(), "report_id": report_id, "reporter_id": reporter_id}
            await self._sql.run("add", on=on, **ids, **values)
        await self._sql.run("hold_media", on=on, report_id=report_id, reported_id=new.user_id)
        await self._attach(report_id, new, frame, on)
        return report_id

    async def _attach(self, report_id: str, new: NewReport, frame: Decoded | None, on: Transaction) -> None:
        if new.call_id is not None and new.message_ids:
            lines = {"call_id": new.call_id, "message_ids": list(new.message_ids)}
            await self._sql.run("attach_lines", on=on, report_id=report_id, **lines)
        if frame is not None:
            shown = {"bytes": frame.data, "preview": frame.preview}
            await self._sql.run("attach_frame", on=on, report_id=report_id, **shown)

    async def _weigh(self, user_id: str, on: Transaction) -> Effects:
        """Hides the card, or bans the user, if the open reports weigh enough. The user is locked."""
        now = self._clock.frozen
        found = await self._sql.all("open_about", OpenReport, on=on, reported_id=user_id, now=now)
        hides_card = reputation.hides_card(found) and await self._hidden_cards.hide(user_id, on=on)
        if hides_card:
            await self._alerts.raise_alert("minor", f"/admin/people/{user_id}", on=on)
        reports = reputation.counted(found)
        if reputation.total(reports) < self._config.ban_reporters:
            return Effects(hides_card)
        report_ids = [report.report_id for report in reports]
        ban = await self._bans.suspend(user_id, reputation.rule_of(reports), report_ids, on=on)
        if ban is not None:
            await self._alerts.raise_alert("ban", f"/admin/people/{user_id}", on=on)
        return Effects(hides_card, ban)


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
    elif new.frame == b"":
        faults["frame"] = "The picture is empty. Send the report without it, or with another one."
    if new.call_id is None and new.message_ids:
        faults["callId"] = "Messages belong to a call."
    if new.call_id is not None and not is_id(new.call_id):
        raise NotFound("There is no such call of yours.")
    if faults:
        raise Invalid(**faults)
