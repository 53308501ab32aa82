"""The audit log, for admins: entries by page, and verification of the hash chain."""

from __future__ import annotations

from handlers.console.base import AdminHandler
from models.errors import Invalid


class AuditHandler(AdminHandler):
    """GET /admin/audit?before=&verify=1."""

    async def get(self) -> None:
        before = self.get_query_argument("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 18):
            raise Invalid(before="This is not the number of an entry.")
        entries = await self.models.audit.page(int(before) if before else None)
        verified = await self.models.audit.verify() if self.get_query_argument("verify", "") else None
        self.show("console/audit_log.html", entries=entries, verified=verified)
