"""The site's own invite codes, for admins: create, list, disable."""

from __future__ import annotations

import msgspec

from handlers.console.base import AdminHandler
from models.errors import Invalid
from models.security.audit_log import why


class NewCodeForm(msgspec.Struct):
    """A new code; without `uses`, there is no limit."""

    label: str = ""
    uses: str = ""

    @property
    def limit(self) -> int | None:
        """The number of uses; None for no limit. Raises: Invalid (`uses`)."""
        if self.uses.strip() and not (self.uses.isascii() and self.uses.isdigit() and len(self.uses) < 9):
            raise Invalid(uses="Enter a whole number, or leave it empty for no limit.")
        return int(self.uses) if self.uses.strip() else None


class ReasonForm(msgspec.Struct):
    reason: str = ""


class AdminCodesHandler(AdminHandler):
    """GET, POST /admin/codes."""

    async def get(self) -> None:
        await self._show()

    async def post(self) -> None:
        form = self.read(NewCodeForm)
        try:
            await self.models.admin_codes.create(form.label, form.limit, self.who().staff_id)
        except Invalid as problem:
            return await self._show(problem)
        return self.done("/admin/codes")

    async def _show(self, problem: Invalid | None = None) -> None:
        self.show("console/invite_codes.html", problem=problem, codes=await self.models.admin_codes.all())


class AdminCodeHandler(AdminHandler):
    """POST /admin/codes/CODE: disables a code."""

    async def post(self, code: str) -> None:
        reason = why(self.read(ReasonForm).reason)
        await self.models.admin_codes.stop(code, self.who().staff_id, reason)
        return self.done("/admin/codes")
