"""Blocks: two people who want nothing to do with each other; one of them is enough.

Keeps who blocked whom. Promises that a block is in force at once and in both directions: each leaves the
other's screen, a ring between them ends as if the blocker had declined or cancelled it, a call as `hung_up`,
and to the one who was blocked all of it looks as if the other went offline. Somebody who does not exist may
be blocked alike. Refuses oneself.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta

import msgspec

from models.clock import Clock
from models.db import Db
from models.errors import Invalid, Unavailable
from models.ids import is_id
from models.news import News
from models.partings import Partings
from models.presence import Presence

LOOK_BACK = timedelta(seconds=5)


class Pair(msgspec.Struct, frozen=True):
    one_id: str
    other_id: str


class Blocks:
    def __init__(self, db: Db, clock: Clock, news: News, presence: Presence, partings: Partings) -> None:
        self._presence = presence
        self._clock, self._news, self._partings = clock, news, partings
        self._sql = db.statements("blocks")

    async def block(self, user_id: str, other_id: str) -> None:
        """Twice is once. Raises Invalid (`userId`)."""
        check_other(user_id, other_id)
        now = self._clock.frozen
        if await self._sql.value("block", blocker_id=user_id, blocked_id=other_id, now=now) is not None:
            self._news.keep_apart(user_id, other_id, is_hidden=True)
        await self._partings.part(user_id, other_id)

    async def unblock(self, user_id: str, other_id: str) -> None:
        """Takes one's own block back; the other's stays. Raises Invalid (`userId`)."""
        check_other(user_id, other_id)
        if await self._sql.value("unblock", blocker_id=user_id, blocked_id=other_id) is None:
            return
        if not await self._sql.value("is_hidden", one_id=user_id, other_id=other_id):
            with contextlib.suppress(Unavailable):  # the block is gone; who loads the room anew sees them
                await self._presence.unsee(user_id, other_id)
            self._news.keep_apart(user_id, other_id, is_hidden=False)

    async def blocked_among(self, user_id: str, other_ids: list[str]) -> frozenset[str]:
        """Whom of these this person has blocked; what others did is not told."""
        found: list[str] = await self._sql.all("blocked_among", str, blocker_id=user_id, user_ids=other_ids)
        return frozenset(found)

    async def sweep(self) -> None:
        """What began between two people in the instant of a block ends too."""
        for pair in await self._sql.all("since", Pair, since=self._clock.now() - LOOK_BACK):
            await self._partings.part(pair.one_id, pair.other_id)


def check_other(user_id: str, other_id: object) -> None:
    """Raises Invalid for oneself and for what is no id."""
    if not is_id(other_id) or other_id == user_id:
        raise Invalid(userId="Choose somebody else.")
