"""/calls/<id>/end: hangs up over HTTP, for a client whose relay socket does not answer.

Repeating it changes nothing.
"""

from __future__ import annotations

from handlers.base.handler import BaseHandler


class EndHandler(BaseHandler):
    async def post(self, call_id: str) -> None:
        member = self.allowed(access=False, selfie=False)
        call = await self.models.calls.get_own(call_id, member.user_id)
        await self.models.calls.hang_up(call.call_id)
        if self.is_page:
            self.go(f"/calls/{call_id}")
        else:
            self.nothing()
