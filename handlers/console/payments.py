"""Recent payments, for admins: refunds, and evidence for disputes."""

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


class EvidenceBundleHandler(AdminHandler):
    """GET /admin/payments/ID/evidence.zip: the evidence for a dispute. The download is logged."""

    async def get(self, attempt_id: str) -> None:
        bundle = await self.models.dispute_evidence.bundle(attempt_id, self.who().staff_id)
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="evidence-{attempt_id[:8]}.zip"')
        self.set_header("Cache-Control", "no-store")
        self.finish(bundle)


class AdminRefundHandler(AdminHandler):
    """POST /admin/payments/ID: refunds the whole payment."""

    async def post(self, attempt_id: str) -> None:
        reason = why(self.read(ReasonForm).reason)
        refunds = self.models.refunds
        await refunds.refund(await refunds.find(attempt_id), self.who().staff_id, reason)
        return self.done("/admin/payments")
