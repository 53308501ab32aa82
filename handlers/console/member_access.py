"""Access of a member, granted and withdrawn by admins."""

from __future__ import annotations

import msgspec

from handlers.console.base import AdminHandler


class AccessForm(msgspec.Struct, rename="camel"):
    action: str = ""
    grant_id: str = ""
    reason: str = ""


class MemberAccessHandler(AdminHandler):
    """POST /admin/people/ID/access"""

    async def post(self, user_id: str) -> None:
        form = self.read(AccessForm)
        values = form.action, form.grant_id, form.reason, self.who().staff_id
        await self.models.member_access.change(user_id, *values)
        return self.done(f"/admin/people/{user_id}")
