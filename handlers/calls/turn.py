"""/turn/credentials: ICE servers for a member in a live call.

With `purpose=check`, short-lived servers for the connection check, limited by address.
"""

from __future__ import annotations

from handlers.base.handler import BaseHandler
from models.calls.call import Call
from models.errors import NotAllowed, NotFound
from models.ids import is_id


class TurnCredentialsHandler(BaseHandler):
    async def get(self) -> None:
        if self.get_query_argument("purpose", "") == "check":
            await self._check()
            return
        member = self.allowed(access=False, selfie=False)
        call = await self._live_call(member.user_id)
        await self.models.rate_limits.hit("turn", member.user_id)
        left = call.progress.remaining_at(self.models.clock.now())
        self.json(await self.models.turn.for_call(call.call_id, member.user_id, left))

    async def _live_call(self, user_id: str) -> Call:
        call_id = self.get_query_argument("callId", "")
        if not is_id(call_id):
            raise NotFound("There is no such call of yours.")
        call = await self.models.calls.get_own(call_id, user_id)
        if call.progress.state == "ended":
            raise NotAllowed("This call has ended.")
        return call

    async def _check(self) -> None:
        """There is no call yet, so requests are counted by address, signed in or not."""
        if self.member is not None:
            self.allowed(access=False, selfie=False)
        await self.models.rate_limits.hit("turn_check", self.address)
        self.json(await self.models.turn.for_check(self.address))
