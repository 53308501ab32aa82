"""Ringing invites in Redis: the ring itself, and both users marked as busy.

`Rings` is a thin layer over the scripts in models/redis/lua. A ring's key outlives its deadline by a minute.
`models.ringing.invites` has the rules.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from models.redis import keys
from models.redis.client import Bus
from models.settings.config import Config


class Ring(msgspec.Struct, frozen=True):
    """`deadline` is an aware UTC datetime, `socket` the id of the inviting socket."""

    invite_id: str
    caller_id: str
    callee_id: str
    seconds: int
    deadline: datetime
    socket: str

    def other(self, user_id: str) -> str:
        return self.callee_id if user_id == self.caller_id else self.caller_id


class Due(msgspec.Struct, frozen=True):
    """A ring that ends automatically: `outcome` is missed or gone."""

    invite_id: str
    outcome: str
    caller_id: str
    callee_id: str


class Rings:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def open(
        self, ring: Ring, *, now_ms: int, is_hidden: bool, is_cooling: bool, is_in_call: bool
    ) -> tuple[str, str | None]:
        """("ringing" | "offline" | "cooldown" | "busy", None) or ("glare", the other's invite id)."""
        answer = await self._bus.script(
            "ringing.invite_open", ring.invite_id, ring.caller_id, ring.callee_id, ring.seconds, now_ms,
            to_ms(ring.deadline),
            int(is_cooling), keys.INVITE_LINGER_MS, ring.socket, int(is_in_call), int(is_hidden),
        )  # fmt: skip
        return answer[0].decode(), answer[1].decode() if len(answer) > 1 else None

    async def find(self, invite_id: str) -> Ring | None:
        flat = await self._bus.command(
            "hmget", keys.invite(invite_id), "caller", "callee", "seconds", "deadline", "socket"
        )
        return None if flat[0] is None else _ring(invite_id, flat)

    async def of(self, user_id: str) -> Ring | None:
        """The ring that this user is in, on either side."""
        busy = await self._bus.command("get", keys.busy(user_id))
        kind, _, invite_id = (busy or b"").decode().partition(":")
        ring = await self.find(invite_id) if kind == "invite" else None
        return ring if ring is not None and user_id in (ring.caller_id, ring.callee_id) else None

    async def extend(
        self, invite_id: str, caller_id: str, *, now_ms: int, by_ms: int, most: int
    ) -> tuple[str, Any, Any]:
        """("extended", new deadline, callee id) | ("not_found", None, None) | ("conflict", None, None)."""
        answer = await self._bus.script(
            "ringing.invite_extend", invite_id, caller_id, now_ms, by_ms, most, keys.INVITE_LINGER_MS
        )
        if len(answer) < 3:
            return answer[0].decode(), None, None
        return "extended", from_ms(int(answer[1])), answer[2].decode()

    async def due(self, now_ms: int, lease_ms: int) -> list[Due]:
        """Rings that end now, leased: if this process dies, another process gets them after the lease."""
        flat = [value.decode() for value in await self._bus.script("ringing.invites_due", now_ms, lease_ms)]
        return [Due(*flat[at : at + 4]) for at in range(0, len(flat), 4)]

    async def ringing(self) -> list[str]:
        """Invite ids in the order of their deadlines; at most a thousand."""
        return [one.decode() for one in await self._bus.command("zrange", keys.INVITES_DUE, 0, 999)]

    async def hasten(self, invite_ids: list[str], now_ms: int) -> None:
        """Makes rings due now, except leased ones."""
        await self._bus.script("ringing.invites_hasten", now_ms, *invite_ids)

    async def release(
        self, invite_id: str, caller_id: str, callee_id: str, now_ms: int, call_id: str, socket: str
    ) -> str | None:
        """Removes the ring and frees both users, or marks them as in the call. Returns the inviting socket if
        it is still open. `socket` is used if the ring has been released before.
        """
        answer = await self._bus.script(
            "ringing.invite_release",
            invite_id,
            caller_id,
            callee_id,
            now_ms,
            call_id,
            keys.CALL_BUSY_MS,
            socket,
        )
        return answer[1].decode() if answer[0] else None

    async def adopt(self, invite_id: str, caller_id: str, socket_id: str, now_ms: int) -> bool:
        """Replaces the inviting socket if it is gone or of the same tab. True if it was replaced."""
        answer = await self._bus.script(
            "ringing.invite_adopt", invite_id, caller_id, socket_id, now_ms, keys.PROCESS_LATE_MS
        )
        return bool(answer)


def _ring(invite_id: str, flat: list[bytes]) -> Ring:
    caller, callee, seconds, deadline, socket = (value.decode() for value in flat)
    return Ring(invite_id, caller, callee, int(seconds), from_ms(int(deadline)), socket)


def is_length(seconds: object, config: Config) -> bool:
    """Whether a user may request this length of a call."""
    least, most = config.call_min_seconds, config.call_max_seconds
    return isinstance(seconds, int) and not isinstance(seconds, bool) and least <= seconds <= most


def to_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
