"""Teardown of an ended call outside PostgreSQL: `call:ended` for both seats, presence, Redis keys.

The row has been written before. If Redis is down, the sweep repeats the teardown until it succeeds.
"""

from __future__ import annotations

from models.broadcasts import Broadcasts
from models.calls.call import Call
from models.errors import Unavailable
from models.messages import CallEnded
from models.redis import keys
from models.redis.client import Bus
from models.room.presence import Presence

END_CODE = 1000


class CallTeardown:
    def __init__(self, bus: Bus, broadcasts: Broadcasts, presence: Presence) -> None:
        self._bus, self._broadcasts, self._presence = bus, broadcasts, presence
        self._pending: dict[str, Call] = {}

    async def run(self, call: Call) -> None:
        """Notifies the seats of this process at once, even if Redis is down. Never fails."""
        self._publish(call)
        if self._pending:
            # Redis is down: do not wait for it again.
            self._pending[call.call_id] = call
            return
        try:
            await self._free(call)
        except Unavailable:
            self._pending[call.call_id] = call

    async def retry(self) -> None:
        """Repeats the teardowns that failed. Raises: Unavailable; the remaining ones are kept."""
        for call in list(self._pending.values()):
            await self._free(call)
            self._publish(call)
            self._pending.pop(call.call_id, None)

    def _publish(self, call: Call) -> None:
        reason, seconds = call.progress.ended_reason or "", call.connected_seconds
        ended = CallEnded(reason=reason, connected_seconds=seconds)
        self._broadcasts.to_call(call.call_id, ended, close=END_CODE)

    async def _free(self, call: Call) -> None:
        await self._presence.free_from_call(call.call_id, call.people)
        await self._bus.command("del", *keys.of_call(call.call_id))
