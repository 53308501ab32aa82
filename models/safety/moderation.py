"""Moderators' decisions about a report or a user.

Every decision has a reason. A report is decided once. A ban decides the report that it came from and, if
requested, all other open reports about the same user. Raises: NotFound, Conflict, Invalid.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from models.clock import Clock
from models.errors import Conflict, Invalid, NotFound
from models.safety.bans import Bans, NewBan
from models.safety.report_reviews import JUDGED, Report, ReportReviews, ReportVerdict
from models.safety.reports import REASONS
from models.security.audit_log import why

MOST_HOURS = 366 * 24
MOST_ADDRESS_HOURS = 720
BANS = ("temporary", "permanent")
# Upheld without a ban: the report was right, and a picture was removed, or the user is gone.
WITHOUT_BAN: dict[str, ReportVerdict] = {"dismiss": "dismissed", "uphold": "upheld"}
CHOOSE = "Choose a decision."
GONE = "This user has been deleted, so there is no one to ban. Uphold or dismiss the report."


class Decision(msgspec.Struct, frozen=True, rename="camel"):
    """A decision from a form: dismiss, uphold, temporary or permanent. The banned user reads the reason.

    `address_hours`: how long new guests from the user's addresses are rejected; 0 rejects none.
    """

    kind: str = ""
    reason: str = ""
    rule: str = "other"
    hours: int = 168
    address_hours: int = 0
    with_others: bool = False


class Moderation:
    def __init__(self, clock: Clock, bans: Bans, reviews: ReportReviews) -> None:
        self._clock, self._bans, self._reviews = clock, bans, reviews

    async def on_report(self, report_id: str, moderator_id: str, decision: Decision) -> None:
        report = await self._reviews.get(report_id)
        reason = why(decision.reason)
        if report.verdict is not None:
            raise Conflict(JUDGED)
        if verdict := WITHOUT_BAN.get(decision.kind):
            return await self._reviews.judge(report_id, moderator_id, verdict, reason)
        report_ids = await self._behind(report) if decision.with_others else (report_id,)
        try:
            await self._ban(report.reported_id, report.reason, report_ids, moderator_id, decision)
        except NotFound as problem:
            raise Invalid(kind=GONE) from problem

    async def on_person(self, user_id: str, moderator_id: str, decision: Decision) -> None:
        """Decides about a user without a report."""
        why(decision.reason)
        if decision.rule not in REASONS:
            raise Invalid(rule="Choose the rule that was broken.")
        await self._ban(user_id, decision.rule, (), moderator_id, decision)

    async def _ban(
        self, user_id: str, rule: str, report_ids: tuple[str, ...], moderator_id: str, decision: Decision
    ) -> None:
        if decision.kind not in BANS:
            raise Invalid(kind=CHOOSE)
        if not 1 <= decision.hours <= MOST_HOURS:
            raise Invalid(hours=f"Choose 1 to {MOST_HOURS} hours.")
        if not 0 <= decision.address_hours <= MOST_ADDRESS_HOURS:
            raise Invalid(addressHours=f"Choose 0 to {MOST_ADDRESS_HOURS} hours.")
        until = self._clock.now() + timedelta(hours=decision.hours)
        new = NewBan(
            user_id=user_id,
            rule=rule,
            reason=why(decision.reason),
            until=until if decision.kind == "temporary" else None,
            report_ids=report_ids,
            with_addresses=decision.address_hours > 0,
            address_hours=decision.address_hours or None,
        )
        await self._bans.decide(new, moderator_id)

    async def _behind(self, report: Report) -> tuple[str, ...]:
        about = await self._reviews.about(report.reported_id)
        return tuple(one.report_id for one in about if one.verdict is None)
