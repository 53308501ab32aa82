"""What is going on between two people, or around one person, comes to its end: a block, a ban, a deletion.

Promises that each ends the way it always ends (a ring as declined or cancelled, a call by its state machine),
so that the other side cannot tell a block from somebody who would rather not. Everything here may be done
twice. Rings are looked for in Redis; while that is away there are none.
"""

from __future__ import annotations

import contextlib
from typing import Literal

from models.calls import Calls
from models.db import Db
from models.errors import Unavailable
from models.invite_outcomes import InviteOutcomes
from models.presence import Presence
from models.ring import Rings


class Partings:
    def __init__(
        self, db: Db, calls: Calls, rings: Rings, outcomes: InviteOutcomes, presence: Presence
    ) -> None:
        self._sql = db.statements("partings")
        self._calls, self._rings, self._outcomes, self._presence = calls, rings, outcomes, presence

    async def part(self, one_id: str, other_id: str) -> None:
        """The first wants no more of the other: a ring ends as they would end it, a call as hung up."""
        await self.leave_ring(one_id, other_id)
        call_id: str | None = await self._sql.value("live_between", one_id=one_id, other_id=other_id)
        if call_id is not None:
            await self._calls.hang_up(call_id)

    async def leave_ring(self, user_id: str, other_id: str) -> None:
        """The ring between the two ends as if the first had declined or cancelled it."""
        with contextlib.suppress(Unavailable):
            ring = await self._rings.of(user_id)
            if ring is not None and ring.other(user_id) == other_id:
                await self._outcomes.break_off(ring, user_id)

    async def remove(self, user_id: str, reason: Literal["hung_up", "banned"] = "banned") -> None:
        """Off the queue; a ring ends as gone, a call as banned (or as if they had hung up)."""
        call_id: str | None = await self._sql.value("live_of", user_id=user_id)
        if call_id is not None:
            await self._calls.hang_up(call_id, reason)
        with contextlib.suppress(Unavailable):
            ring = await self._rings.of(user_id)
            if ring is not None:
                await self._outcomes.break_off(ring)
        with contextlib.suppress(Unavailable):
            await self._presence.remove(user_id)
