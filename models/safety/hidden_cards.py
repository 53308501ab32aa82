"""Cards hidden until a review: they leave every screen, also in other processes.

Pages of the queue leave them out (sql/room/queue.sql). Screens that show one already get a departure; the
sweep of every process repeats it for some seconds, for lost events and for pages that were under way. Nothing
else ends: the user may still call and be called by those who know them.
"""

from __future__ import annotations

from datetime import timedelta

from models.clock import Clock
from models.postgres.database import Db, Transaction
from models.redis import keys
from models.redis.client import Bus

LOOK_BACK = timedelta(seconds=5)


class HiddenCards:
    def __init__(self, db: Db, bus: Bus, clock: Clock) -> None:
        self._bus, self._clock = bus, clock
        self._sql = db.statements("safety.hidden_cards")

    async def hide(self, user_id: str, *, on: Transaction) -> bool:
        """True if it was not hidden before. The caller calls `leave_screens` after the commit."""
        return bool(await self._sql.run("hide", on=on, user_id=user_id, now=self._clock.frozen))

    def leave_screens(self, user_id: str) -> None:
        self._bus.publish(keys.CHANNEL_QUEUE, _departure(user_id))

    async def sweep(self) -> None:
        """Removes the cards hidden in the last seconds from the screens of this process."""
        since = self._clock.now() - LOOK_BACK
        for user_id in await self._sql.all("hidden_since", str, since=since):
            self._bus.subscriber.deliver(keys.CHANNEL_QUEUE, _departure(user_id))


def _departure(user_id: str) -> bytes:
    """As the Lua scripts of `models.room.presence` publish it."""
    return f"-{user_id}".encode()
