"""Withdrawal from a purchase, until the access is first used."""

from __future__ import annotations

import msgspec

from handlers.base.handler import BaseHandler
from models.errors import Conflict


class WithdrawalForm(msgspec.Struct, rename="camel"):
    payment_id: str


class WithdrawalHandler(BaseHandler):
    """GET /withdrawal: the user's purchases; POST withdraws from one."""

    async def get(self) -> None:
        await self._show()

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        try:
            await self.models.withdrawals.withdraw(member.user_id, self.read(WithdrawalForm).payment_id)
        except Conflict as problem:
            if not self.is_page:
                raise
            return await self._show(problem)
        if self.is_page and not self.is_htmx:
            return self.go("/withdrawal")
        return await self._show()

    async def _show(self, problem: Conflict | None = None) -> None:
        member = self.allowed(access=False, selfie=False)
        purchases = await self.models.withdrawals.of(member.user_id)
        if not self.is_page:
            return self.json({"payments": [one.as_json() for one in purchases]})
        names = "billing/withdrawals/page.html", "billing/withdrawals/_purchases.html"
        status = problem.status if problem else 200
        return self.page(names[0], fragment=names[1], status=status, purchases=purchases, problem=problem)
