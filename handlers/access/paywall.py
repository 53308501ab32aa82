"""The paywall: access by payment or by a friend's code."""

from __future__ import annotations

from typing import Any

import msgspec

from handlers.base.handler import BaseHandler
from handlers.http.redirects import STEPS
from models.accounts.sign_up import next_step
from models.errors import Conflict, Invalid, NotFound, Problem, TooMany
from models.messages import Access
from models.security.member import Member


class InviteCodeForm(msgspec.Struct, rename="camel"):
    invite_code: str = ""


class PaywallHandler(BaseHandler):
    """GET /paywall, with `?inviteCode=` from a friend's QR code and `?cancelled=1` from the checkout."""

    async def get(self) -> None:
        member = self.allowed(access=False, selfie=False, terms=True, age=True)
        if member.access != "unpaid":
            return self.go(STEPS[next_step(member)])
        code = self.get_query_argument("inviteCode", None)
        cancelled = self.get_query_argument("cancelled", None) == "1"
        lost_by = await self.models.receipts.lost_by(member.user_id)
        shown = await self._invited(code, member)
        return self.page("access/paywall/page.html", cancelled=cancelled, lost_by=lost_by, **shown)

    async def _invited(self, code: str | None, member: Member) -> dict[str, Any]:
        """The inviting user, or the reason why the code does not work."""
        if not code:
            return {"invite": None}
        codes = self.models.invite_codes
        try:
            async with codes.guessing(self.address):
                return {"invite": await codes.check(code, member.user_id)}
        except (Conflict, Invalid, NotFound, TooMany) as problem:
            return {
                "invite": None,
                "values": {"inviteCode": code},
                "errors": {"inviteCode": problem.message},
            }


class ApplyCodeHandler(BaseHandler):
    """POST /payment/apply-code: grants access by a friend's code."""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False, terms=True, age=True)
        code = self.read(InviteCodeForm).invite_code
        try:
            access = await self.models.invite_codes.redeem(code, member.user_id, self.address)
        except (Conflict, Invalid, NotFound) as problem:
            return self._again(problem)
        return self._welcome(member, access)

    def _welcome(self, member: Member, access: Access) -> None:
        if not self.is_page:
            return self.json({"access": access})
        return self.go(STEPS[next_step(msgspec.structs.replace(member, access=access))])

    def _again(self, problem: Problem) -> None:
        """Shows the form with the code as an invalid field."""
        if self.is_page:
            problem = Invalid(inviteCode=problem.message)
        plain = {"invite": None, "cancelled": False, "lost_by": None}
        self.form_again(problem, "access/paywall/page.html", fragment="access/paywall/_paywall.html", **plain)
