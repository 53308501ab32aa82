"""Interruptions: ending the ring and the call between two users, or of one user.

Used by blocks, bans and deletions. A ring ends as declined or cancelled, and a call by its state machine, so
a blocked user cannot tell a block from an ordinary decline. All operations are idempotent. Rings are in
Redis; while Redis is down there are none.
"""

from __future__ import annotations

import contextlib
from typing import Literal

from models.calls.calls import Calls
from models.errors import Unavailable
from models.postgres.database import Db
from models.ringing.outcomes import InviteOutcomes
from models.ringing.rings import Rings
from models.room.presence import Presence


class Interruptions:
    def __init__(
        self, db: Db, calls: Calls, rings: Rings, outcomes: InviteOutcomes, presence: Presence
    ) -> None:
        self._sql = db.statements("safety.interruptions")
        self._calls, self._rings, self._outcomes, self._presence = calls, rings, outcomes, presence

    async def separate(self, one_id: str, other_id: str) -> None:
        """Ends a ring as the first user would end it, and a call as hung up."""
        await self.leave_ring(one_id, other_id)
        call_id: str | None = await self._sql.value("live_between", one_id=one_id, other_id=other_id)
        if call_id is not None:
            await self._calls.hang_up(call_id)

    async def leave_ring(self, user_id: str, other_id: str) -> None:
        """Ends the ring between two users as if the first had declined or cancelled it."""
        with contextlib.suppress(Unavailable):
            ring = await self._rings.of(user_id)
            if ring is not None and ring.other(user_id) == other_id:
                await self._outcomes.interrupt(ring, user_id)

    async def remove(self, user_id: str, reason: Literal["hung_up", "banned"] = "banned") -> None:
        """Removes a user from the queue; their ring ends as gone, their call with `reason`."""
        call_id: str | None = await self._sql.value("live_of", user_id=user_id)
        if call_id is not None:
            await self._calls.hang_up(call_id, reason)
        with contextlib.suppress(Unavailable):
            ring = await self._rings.of(user_id)
            if ring is not None:
                await self._outcomes.interrupt(ring)
        with contextlib.suppress(Unavailable):
            await self._presence.remove(user_id)
