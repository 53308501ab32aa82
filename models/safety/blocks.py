"""Blocks between two users, in force immediately and in both directions.

Each user disappears from the other's screen, a ring between them ends as if the blocker had declined or
cancelled it, and a call ends as `hung_up`. To the blocked user, the blocker appears to be offline. Blocking
an unknown user has the same answer. Raises: Invalid for oneself.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta

import msgspec

from models.broadcasts import Broadcasts
from models.clock import Clock
from models.errors import Unavailable
from models.postgres.database import Db
from models.room.presence import Presence
from models.safety.interruptions import Interruptions
from models.security.member import check_other

LOOK_BACK = timedelta(seconds=5)


class Pair(msgspec.Struct, frozen=True):
    one_id: str
    other_id: str


class Blocks:
    def __init__(
        self, db: Db, clock: Clock, broadcasts: Broadcasts, presence: Presence, interruptions: Interruptions
    ) -> None:
        self._presence = presence
        self._clock, self._broadcasts, self._interruptions = clock, broadcasts, interruptions
        self._sql = db.statements("safety.blocks")

    async def block(self, user_id: str, other_id: str) -> None:
        """Blocks a user; idempotent. Raises: Invalid (`userId`)."""
        check_other(user_id, other_id)
        now = self._clock.frozen
        if await self._sql.value("block", blocker_id=user_id, blocked_id=other_id, now=now) is not None:
            self._broadcasts.keep_apart(user_id, other_id, is_hidden=True)
        await self._interruptions.separate(user_id, other_id)

    async def unblock(self, user_id: str, other_id: str) -> None:
        """Removes the user's own block, not the other user's. Raises: Invalid (`userId`)."""
        check_other(user_id, other_id)
        if await self._sql.value("unblock", blocker_id=user_id, blocked_id=other_id) is None:
            return
        if not await self._sql.value("is_hidden", one_id=user_id, other_id=other_id):
            with contextlib.suppress(
                Unavailable
            ):  # the block is removed; a reload of the room shows the card
                await self._presence.unsee(user_id, other_id)
            self._broadcasts.keep_apart(user_id, other_id, is_hidden=False)

    async def blocked_among(self, user_id: str, other_ids: list[str]) -> frozenset[str]:
        """The users among `other_ids` whom this user has blocked. Blocks by others are not revealed."""
        found: list[str] = await self._sql.all("blocked_among", str, blocker_id=user_id, user_ids=other_ids)
        return frozenset(found)

    async def sweep(self) -> None:
        """Ends rings and calls that started at the instant of a block."""
        for pair in await self._sql.all("since", Pair, since=self._clock.now() - LOOK_BACK):
            await self._interruptions.separate(pair.one_id, pair.other_id)
