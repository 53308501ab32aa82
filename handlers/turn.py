"""/turn/credentials: ICE servers for somebody in a live call, and for nobody else."""

from __future__ import annotations

from handlers.base import BaseHandler
from models.errors import NotAllowed, NotFound
from models.ids import is_id


class TurnCredentialsHandler(BaseHandler):
    async def get(self) -> None:
        member = self.allowed(access=False, selfie=False)
        call_id = self.get_query_argument("callId", "")
        if not is_id(call_id):
            raise NotFound("There is no such call of yours.")
        call = await self.models.calls.get_own(call_id, member.user_id)
        if call.progress.state == "ended":
            raise NotAllowed("This call has ended.")
        await self.models.rate_limits.hit("turn", member.user_id)
        self.json(await self.models.turn.servers())
