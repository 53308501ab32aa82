"""Invite codes of the site's own, for admins: make, list, switch off."""

from __future__ import annotations

import msgspec

from handlers.console.base import AdminHandler
from models.errors import Invalid
from models.security.audit_log import why


class CodeForm(msgspec.Struct):
    """Without `uses` there is no limit."""

    label: str = ""
    uses: str = ""

    @property
    def limit(self) -> int | None:
        """Raises Invalid (`uses`)."""
        if self.uses.strip() and not (self.uses.isascii() and self.uses.isdigit() and len(self.uses) < 9):
            raise Invalid(uses="Write a whole number, or nothing for no limit.")
        return int(self.uses) if self.uses.strip() else None


class ReasonForm(msgspec.Struct):
    reason: str = ""


class AdminCodesHandler(AdminHandler):
    """GET, POST /admin/codes."""

    async def get(self) -> None:
        await self._show()

    async def post(self) -> None:
        form = self.read(CodeForm)
        try:
            await self.models.admin_codes.create(form.label, form.limit, self.who().staff_id)
        except Invalid as problem:
            return await self._show(problem)
        return self.done("/admin/codes")

    async def _show(self, problem: Invalid | None = None) -> None:
        self.show("console/codes.html", problem=problem, codes=await self.models.admin_codes.all())


class AdminCodeHandler(AdminHandler):
    """POST /admin/codes/CODE: switches it off."""

    async def post(self, code: str) -> None:
        reason = why(self.read(ReasonForm).reason)
        await self.models.admin_codes.stop(code, self.who().staff_id, reason)
        return self.done("/admin/codes")
