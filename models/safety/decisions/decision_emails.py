"""E-mails about reports and decisions: receipt and outcome for reporters, reasons for those concerned.

A row of the outbox is written in the transaction that it is about, and its text is made when it is sent, so
an e-mail always states what is in force. A failed delivery is repeated for `KEPT_DAYS`. Guests have no
address and see the same on their pages. Without a mail server nothing is written.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

import msgspec

from models.clock import Clock
from models.errors import Invalid
from models.ids import report_reference
from models.mail import email_address
from models.mail.mailer import Mailer
from models.messages import instant
from models.postgres.database import Db, Transaction
from models.profiles.media import MediaKind
from models.safety.ban_notices import ActiveBan, BanNotices
from models.safety.decisions.clauses import clause_of
from models.safety.decisions.handovers import Handovers
from models.settings.config import Config

EmailKind = Literal["report", "outcome", "ban", "removal", "ban_appeal", "removal_appeal"]
AGAIN_SECONDS, MOST_AT_ONCE, KEPT_DAYS = 60, 10, 3
# How often a process looks for e-mails that wait.
EMAIL_SECONDS = 2.0
AUTOMATIC, BY_A_PERSON = "by the weight of several independent reports", "by a moderator"


class DecisionEmail(msgspec.Struct, frozen=True):
    email_id: int
    kind: EmailKind
    about_id: str


class Letter(NamedTuple):
    """`to` is None if the site has no address for it."""

    to: str | None
    subject: str
    text: str


class _ReportLetter(msgspec.Struct, frozen=True):
    email: str
    report_id: str
    verdict: str | None


class _BanLetter(ActiveBan, frozen=True):
    email: str


class _RemovalLetter(msgspec.Struct, frozen=True):
    email: str
    removal_id: str
    kind: MediaKind
    rule: str
    reason: str


class DecisionEmails:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        mailer: Mailer,
        notices: BanNotices,
        handovers: Handovers,
    ) -> None:
        self._clock, self._config, self._mailer = clock, config, mailer
        self._notices, self._handovers = notices, handovers
        self._sql = db.statements("safety.decision_emails")
        self._texts: dict[EmailKind, Callable[[str], Awaitable[Letter | None]]] = {
            "report": self._report,
            "outcome": self._outcome,
            "ban": self._ban,
            "removal": self._removal,
            "ban_appeal": lambda about_id: self._appeal("ban", about_id),
            "removal_appeal": lambda about_id: self._appeal("removal", about_id),
        }

    async def write(self, kind: EmailKind, *about_ids: str, on: Transaction) -> None:
        """Queues an e-mail for each. The next round of the sweep sends it."""
        for about_id in about_ids if self._mailer.is_on else ():
            await self._sql.run("write", on=on, kind=kind, about_id=about_id, now=self._clock.frozen)

    async def send(self) -> None:
        """Sends waiting e-mails, and gives up what could not be delivered for days."""
        if not self._mailer.is_on:
            return
        now = self._clock.frozen
        await self._sql.run("forget", days=KEPT_DAYS, now=now)
        claimed = await self._sql.all("claim", DecisionEmail, every=AGAIN_SECONDS, most=MOST_AT_ONCE, now=now)
        for email in sorted(claimed, key=lambda one: one.email_id):
            letter = await self._texts[email.kind](email.about_id)
            if letter is None or letter.to is None or await self._mailer.deliver(*_addressed(letter)):
                await self._sql.run("done", email_id=email.email_id)

    # -- the texts; None: no address, or nothing to say any more --

    async def _report(self, report_id: str) -> Letter | None:
        found = await self._sql.one("receipt", _ReportLetter, report_id=report_id)
        if found is None:
            return None
        reference = report_reference(report_id)
        text = (
            f"We have received your report {reference}. A moderator will look at it; the person is not "
            f"notified of you. The outcome is shown here: {self._config.base_url}/reports\n"
        )
        return Letter(found.email, f"Your report {reference}", text)

    async def _outcome(self, report_id: str) -> Letter | None:
        found = await self._sql.one("report", _ReportLetter, report_id=report_id)
        if found is None or found.verdict is None:
            return None
        reference, is_upheld = report_reference(report_id), found.verdict == "upheld"
        outcome = "We have acted on it." if is_upheld else "We have found no reason to act."
        text = (
            f"Your report {reference} was decided. {outcome}\n\nAll your reports: "
            f"{self._config.base_url}/reports\n"
        )
        return Letter(found.email, f"Your report {reference}", text)

    async def _ban(self, ban_id: str) -> Letter | None:
        ban = await self._sql.one("ban", _BanLetter, ban_id=ban_id)
        if ban is None:
            return None
        until = f"until {instant(ban.until_at)} at most" if ban.until_at else "without an end"
        notice = await self._notices.notice(ban)
        how = AUTOMATIC if ban.is_automatic else BY_A_PERSON
        text = self._reasons(f"You are banned {until}.", ban.rule, ban.reason, how, notice.appeal_url)
        return Letter(ban.email, "You are banned", text)

    async def _removal(self, removal_id: str) -> Letter | None:
        found = await self._sql.one("removal", _RemovalLetter, removal_id=removal_id)
        if found is None:
            return None
        what = "selfie" if found.kind == "selfie" else "intro video"
        path = f"/removals/{removal_id}"
        text = self._reasons(f"Your {what} was removed.", found.rule, found.reason, BY_A_PERSON, path)
        return Letter(found.email, f"Your {what} was removed", text)

    def _reasons(self, effect: str, rule: str, facts: str, how: str, path: str) -> str:
        return (
            f"{effect}\n\n{clause_of(rule, self._config).text}\nFacts: {facts}\nDecided {how}.\n\n"
            f"You can appeal once, and see where else to turn: {self._config.base_url}{path}\n"
        )

    async def _appeal(self, subject: Literal["ban", "removal"], about_id: str) -> Letter | None:
        url = self._config.base_url + await self._handovers.path(subject, about_id)
        text = (
            "An appeal needs a decision by someone else than the moderator who made the decision, and the "
            f"site has no other. Decide it here; the link is meant for you alone: {url}\n"
        )
        return Letter(operator_address(self._config), "Napalm Sky: an appeal waits for you", text)


def _addressed(letter: Letter) -> tuple[str, str, str]:
    return letter.to or "", letter.subject, letter.text


def operator_address(config: Config) -> str | None:
    """Where appeals are handed to: OPERATOR_CONTACT if it is an e-mail address, or ALERT_EMAIL."""
    try:
        return email_address.read(config.operator_contact or "").text
    except Invalid:
        return config.alert_email
