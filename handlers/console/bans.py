"""Decisions of staff about a ban: lift it, or make it permanent."""

from __future__ import annotations

import msgspec

from handlers.console.base import ConsoleHandler
from models.errors import Invalid
from models.security.audit_log import why


class BanForm(msgspec.Struct):
    action: str = ""
    reason: str = ""


class BanHandler(ConsoleHandler):
    """POST /admin/bans/ID: `action` = lift or permanent."""

    async def post(self, ban_id: str) -> None:
        ban, form = await self.models.bans.get(ban_id), self.read(BanForm)
        reason, who = why(form.reason), self.who().staff_id
        if form.action == "lift":
            await self.models.bans.lift(ban_id, who, reason)
        elif form.action == "permanent":
            await self.models.bans.make_permanent(ban_id, who, reason)
        else:
            raise Invalid(action="Choose lift or permanent.")
        return self.done(f"/admin/people/{ban.user_id}")
