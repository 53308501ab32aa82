"""Notices of illegal content, by anyone, without a session.

A notice gets a reference and a status page, whose token is its only key: a hash of it is stored. Its outcome
is decided once, shown on that page, and sent by e-mail if the site has a mail server. Minors and intimate
images have short forms and deadlines for the staff. A notice with the field that only robots fill in is
refused, with an answer for a person whose browser filled it in. Raises: Invalid, TooMany, NotFound, Conflict
(already decided).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal, get_args

import msgspec

from models.clock import Clock
from models.errors import Conflict, Invalid, NotFound
from models.ids import is_id, new_id, notice_reference
from models.mail import email_address
from models.mail.alerts import Alerts
from models.mail.mailer import Mailer
from models.postgres.database import Db
from models.security.audit_log import Audit
from models.security.rate_limits import RateLimits
from models.security.tokens import hash_of
from models.settings.config import Config
from models.visible_text import is_visible

NoticeKind = Literal["minor", "intimate", "illegal", "other"]
Outcome = Literal["action", "none"]
# The ones that need no reason: what they are about is reason enough.
SHORT: frozenset[NoticeKind] = frozenset(("minor", "intimate"))
DEADLINE_HOURS = {"minor": 24, "intimate": 48}
MOST_PLACE, MOST_WHY, MOST_NAME, MOST_REPLY = 2000, 4000, 200, 2000
PAGE = 50
# Notices a day that are confirmed to one e-mail address.
MOST_CONFIRMED = 5
ROBOT = "Your notice was taken for a robot's: this field must stay empty. Please send it again, without it."
OUTCOMES = {"action": "We have acted on your notice.", "none": "We have found no reason to act."}


class NewNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as sent. `empty_field` is the one that only robots fill in."""

    kind: str = ""
    where: str = ""
    why: str = ""
    email: str = ""
    name: str = ""
    has_good_faith: bool = False
    empty_field: str = ""


class Notice(msgspec.Struct, frozen=True):
    """A notice; `decided_at` is None while it waits."""

    notice_id: str
    kind: NoticeKind
    place: str
    why: str | None
    name: str | None
    email: str
    created_at: datetime
    outcome: Outcome | None
    reply: str | None
    decided_at: datetime | None

    @property
    def reference(self) -> str:
        return notice_reference(self.notice_id)

    @property
    def due_at(self) -> datetime | None:
        """When it must be decided. None: there is no deadline."""
        hours = DEADLINE_HOURS.get(self.kind)
        return None if hours is None else self.created_at + timedelta(hours=hours)


class NoticeReceipt(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a notice."""

    reference: str
    status_url: str


class Notices:
    def __init__(
        self,
        db: Db,
        clock: Clock,
        config: Config,
        rate_limits: RateLimits,
        mailer: Mailer,
        audit: Audit,
        alerts: Alerts,
    ) -> None:
        self._db, self._clock, self._config = db, clock, config
        self._rate_limits, self._mailer, self._audit, self._alerts = rate_limits, mailer, audit, alerts
        self._sql = db.statements("safety.notices")

    async def file(self, new: NewNotice, address: str) -> NoticeReceipt:
        """Stores a notice and confirms it by e-mail. Raises: Invalid, TooMany."""
        kind, email = check(new)
        await self._rate_limits.notice(address)
        notice_id, token = new_id(), secrets.token_urlsafe(24)
        receipt = NoticeReceipt(notice_reference(notice_id), f"/notice/{token}")
        async with self._db.transaction() as on:
            await self._sql.run(
                "create", on=on, notice_id=notice_id, token_hash=hash_of(token), kind=kind,
                place=new.where.strip(), why=new.why.strip() or None, name=new.name.strip() or None,
                email=email, now=self._clock.frozen,
            )  # fmt: skip
            if kind in DEADLINE_HOURS:
                await self._alerts.raise_once("notice", "/admin/notices", on=on)
        await self._confirm(email, receipt)
        return receipt

    async def _confirm(self, email: str, receipt: NoticeReceipt) -> None:
        """By e-mail, a few times a day: the address may be that of someone else."""
        if await self._sql.value("of_day", email=email, now=self._clock.frozen) > MOST_CONFIRMED:
            return
        url = self._config.base_url + receipt.status_url
        text = f"We have received your notice {receipt.reference}. Its status: {url}\n"
        self._mailer.send(email, f"Your notice {receipt.reference}", text)

    async def by_token(self, token: str) -> Notice:
        """The notice of a status page. Raises: NotFound."""
        found = await self._sql.one("find", Notice, token_hash=hash_of(token))
        if found is None:
            raise NotFound("This link does not lead to a notice. Copy all of it.")
        return found

    async def queue(self, after_id: str | None = None, most: int = PAGE) -> list[Notice]:
        """Undecided notices after the last one of the previous page, the most urgent first.

        After one that has been decided in between, it is the first page.
        """
        return await self._sql.all("queue", Notice, after_id=after_id, most=most)

    async def decide(self, notice_id: str, moderator_id: str, outcome: str, reply: str) -> None:
        """Decides a notice and sends the outcome. Raises: NotFound, Invalid, Conflict."""
        found = await self._sql.one("get", Notice, notice_id=notice_id) if is_id(notice_id) else None
        if found is None:
            raise NotFound("There is no such notice.")
        faults: dict[str, str] = {}
        if outcome not in get_args(Outcome):
            faults["outcome"] = "Choose the outcome."
        if len(reply) > MOST_REPLY:
            faults["reply"] = f"Write at most {MOST_REPLY} characters."
        if faults:
            raise Invalid(**faults)
        async with self._db.transaction() as on:
            is_first = await self._sql.run(
                "decide", on=on, notice_id=notice_id, moderator_id=moderator_id, outcome=outcome,
                reply=reply, now=self._clock.frozen,
            )  # fmt: skip
            if not is_first:
                raise Conflict("This notice has already been decided.")
            await self._audit.write(moderator_id, f"notice.{outcome}", f"notice {notice_id}", reply, on=on)
        text = f"{OUTCOMES[outcome]}\n\n{reply}\n"
        self._mailer.send(found.email, f"Your notice {found.reference}", text)


def check(new: NewNotice) -> tuple[NoticeKind, str]:
    """The kind and the e-mail address. Raises: Invalid, every faulty field at once."""
    faults: dict[str, str] = {}
    kind = next((known for known in get_args(NoticeKind) if known == new.kind), None)
    if kind is None:
        faults["kind"] = "Choose what it is about."
    if not is_visible(new.where) or len(new.where.strip()) > MOST_PLACE or "\x00" in new.where:
        faults["where"] = f"Write where it is, in 1 to {MOST_PLACE} characters: a link, a name, a time."
    is_needed = kind not in SHORT
    if "\x00" in new.why or len(new.why.strip()) > MOST_WHY or (is_needed and not is_visible(new.why)):
        faults["why"] = f"Write why it is illegal, in 1 to {MOST_WHY} characters."
    if "\x00" in new.name or len(new.name.strip()) > MOST_NAME:
        faults["name"] = f"Write at most {MOST_NAME} characters."
    if not new.has_good_faith:
        faults["goodFaith"] = "Confirm that you believe in good faith that this is true and complete."
    if new.empty_field:
        faults["emptyField"] = ROBOT
    email = ""
    try:
        email = email_address.read(new.email).text
    except Invalid as problem:
        faults |= problem.fields or {}
    if faults or kind is None:
        raise Invalid(**faults)
    return kind, email
