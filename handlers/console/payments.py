"""Recent payments, for admins, and refunds."""

from __future__ import annotations

from handlers.console.base import AdminHandler
from handlers.console.invite_codes import ReasonForm
from models.errors import Invalid
from models.security.audit_log import why

DAYS = 30


class AdminPaymentsHandler(AdminHandler):
    """GET /admin/payments?days=."""

    async def get(self) -> None:
        days = self.get_query_argument("days", str(DAYS))
        if not (days.isascii() and days.isdigit() and 1 <= int(days[:6]) <= 3650):
            raise Invalid(days="Choose 1 to 3650 days.")
        payments = await self.models.reconciliation.payments(int(days[:6]))
        self.show("console/payments.html", days=int(days[:6]), payments=payments)


class AdminRefundHandler(AdminHandler):
    """POST /admin/payments/ID: refunds the whole payment."""

    async def post(self, attempt_id: str) -> None:
        reason = why(self.read(ReasonForm).reason)
        refunds = self.models.refunds
        await refunds.refund(await refunds.find(attempt_id), self.who().staff_id, reason)
        return self.done("/admin/payments")
