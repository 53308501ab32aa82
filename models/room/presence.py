"""Presence: the sockets of users, and who is online, listed and away. All of it is in Redis.

Listed: the user has a joined socket that is not away, and is not busy (ringing or in a call). It is decided
by the Lua script `room.settle`, atomically with every change. Away: no socket for 10 s, or the tab hidden for
15 s without notifications. Each process remembers its own sockets and registers those again that Redis has
lost. Processes send heartbeats; if one dies, the others remove its sockets.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from models.clock import Clock
from models.concurrency.bounded_gather import bounded_gather
from models.postgres.database import Db
from models.redis import keys
from models.redis.client import Bus
from models.retry import retry_until_available

logger = logging.getLogger(__name__)
GONE_AFTER_MS = 5_000
# For users of a dead process, from its last heartbeat; up to one interval of the sweep is added.
DEAD_LINGER_MS = 9_500
# Users or sockets per step, so that neither Redis nor this process is blocked for long.
AT_ONCE = 500
NO_ID: str | None = "00000000-0000-0000-0000-000000000000"


class LocalSocket(msgspec.Struct):
    """One invite socket of this process."""

    user_id: str
    counts: bool
    is_joined: bool = False
    hidden_since: int = 0


class OpenedSocket(msgspec.Struct, frozen=True):
    """`busy` is "", "invite:<id>" or "call:<id>"."""

    is_available: bool
    busy: str


class LiveCall(msgspec.Struct, frozen=True):
    user_id: str
    call_id: str


class RedisBeat(msgspec.Struct, frozen=True):
    """Whether Redis still knew this process, and the ids of dead processes."""

    is_known: bool
    dead: list[str]


class Presence:
    def __init__(self, db: Db, bus: Bus, clock: Clock) -> None:
        self._sql = db.statements("room.presence")
        self._bus = bus
        self._clock = clock
        self._local: dict[str, LocalSocket] = {}
        self._of_user: dict[str, set[str]] = {}

    async def open(self, user_id: str, socket_id: str, *, counts: bool) -> OpenedSocket:
        """Registers a socket; it has not joined yet. `counts`: its user is one of `online_users`."""
        self._local[socket_id] = LocalSocket(user_id, counts)
        self._of_user.setdefault(user_id, set()).add(socket_id)
        return await self._register(socket_id, self._local[socket_id])

    def is_known(self, socket_id: str) -> bool:
        """Whether this socket of this process is registered and not closed."""
        return socket_id in self._local

    async def reopen(self, socket_id: str) -> OpenedSocket | None:
        """Registers a socket again, for example after Redis was down. None if it has closed."""
        local = self._local.get(socket_id)
        return None if local is None else await self._register(socket_id, local)

    async def close(self, socket_id: str) -> None:
        """Removes a socket. If it had joined, its user stays listed for ten seconds."""
        local = self._local.pop(socket_id, None)
        if local is None:
            return
        mine = self._of_user[local.user_id]
        mine.discard(socket_id)
        if not mine:
            del self._of_user[local.user_id]
        # Redis may be down for a moment and come back with the socket still registered.
        await retry_until_available(lambda: self._unregister(local.user_id, socket_id, is_last=not mine))

    async def _unregister(self, user_id: str, socket_id: str, *, is_last: bool) -> None:
        at = (self._bus.process_id, self._clock.now_ms(), GONE_AFTER_MS)
        await self._bus.script("room.socket_close", user_id, socket_id, *at, int(is_last))

    async def join(self, socket_id: str) -> bool:
        """True if the user is listed now (False while ringing or in a call)."""
        return await self._mark(socket_id, joined=True)

    async def leave(self, socket_id: str) -> bool:
        """True if another joined socket keeps the user listed."""
        return await self._mark(socket_id, joined=False)

    async def hide(self, socket_id: str, *, is_hidden: bool, has_notifications: bool) -> None:
        """Marks a tab as hidden or visible. A hidden tab without notifications is away after 15 s."""
        away = is_hidden and not has_notifications
        if socket_id in self._local:
            self._local[socket_id].hidden_since = self._clock.now_ms() if away else 0
            await self._mark(socket_id)

    async def _mark(self, socket_id: str, *, joined: bool | None = None) -> bool:
        local = self._local.get(socket_id)
        if local is None:
            return False  # it has closed
        local.is_joined = local.is_joined if joined is None else joined
        marks = (self._clock.now_ms(), "-" if joined is None else int(joined), local.hidden_since)
        return bool(await self._bus.script("room.socket_mark", local.user_id, socket_id, *marks))

    async def _register(self, socket_id: str, local: LocalSocket) -> OpenedSocket:
        answer = await self._bus.script(
            "room.socket_open", local.user_id, socket_id, self._bus.process_id, self._clock.now_ms(),
            int(local.counts), int(local.is_joined), local.hidden_since,
        )  # fmt: skip
        return OpenedSocket(is_available=bool(answer[0]), busy=answer[1].decode())

    async def gain_access(self, user_id: str) -> None:
        """The user's sockets in this process count as online from now on."""
        for socket_id in list(self._of_user.get(user_id, ())):
            local = self._local.get(socket_id)
            if local is not None:
                local.counts = True
                await self._register(socket_id, local)

    async def lose_access(self, user_id: str) -> None:
        """The user's sockets in this process leave the queue and no longer count as online."""
        for socket_id in list(self._of_user.get(user_id, ())):
            if socket_id in self._local:  # it may close while another is awaited
                self._local[socket_id].counts = False
                await self._mark(socket_id, joined=False)
        await self._bus.command("srem", keys.ONLINE, user_id)

    async def remove(self, user_id: str) -> None:
        """Takes the user off the queue at once, without the ten seconds. Every process does this for its own
        sockets.
        """
        await self.lose_access(user_id)
        await self._bus.command("hdel", keys.sockets(user_id), "linger")
        await self._bus.script("room.socket_mark", user_id, "", self._clock.now_ms(), 0, "-")

    async def forget(self, user_id: str) -> None:
        """Deletes which cards the user has seen, and when the user was last shown."""
        await self._bus.command("del", keys.SEEN + user_id, keys.COUNTED + user_id)
        await self._bus.command("zrem", keys.SHOWN, user_id)

    async def unsee(self, one_id: str, other_id: str) -> None:
        """Each user's next page may contain the other's card again, even with a cursor."""
        for viewer, card in ((one_id, other_id), (other_id, one_id)):
            await self._bus.command("zrem", keys.SEEN + viewer, card)

    async def are_listed(self, user_ids: Sequence[str]) -> list[bool]:
        """Whether each of these users is listed now. Needs at least one id."""
        return [score is not None for score in await self._bus.command("zmscore", keys.QUEUE, *user_ids)]

    async def online_users(self) -> int:
        """The number of users with access who have a socket, in all processes."""
        return int(await self._bus.command("scard", keys.ONLINE))

    async def free_from_call(self, call_id: str, user_ids: Iterable[str]) -> None:
        """Frees users from an ended call; they are listed again if a socket has joined."""
        await self._bus.script("room.busy_free", self._clock.now_ms(), f"call:{call_id}", *user_ids)

    async def forget_call(self, user_id: str, busy: str) -> bool:
        """Frees a user from an ended call. True if the user is listed now."""
        return bool(await self._bus.script("room.busy_free", self._clock.now_ms(), busy, user_id))

    # -- heartbeats and recovery --

    async def look_at_away(self) -> None:
        await self._bus.script("room.away_due", self._clock.now_ms())

    async def beat(self) -> RedisBeat:
        """Sends this process's heartbeat; returns which processes have died."""
        now = self._clock.now_ms()
        answer = await self._bus.script("room.beat", self._bus.process_id, now, keys.PROCESS_DEAD_MS)
        return RedisBeat(bool(answer[0]), [process.decode() for process in answer[1:]])

    async def heal(self, dead: Iterable[str]) -> None:
        """Removes dead processes and their sockets, in batches."""
        for process in dead:
            held = await self._heal(process, DEAD_LINGER_MS, since_beat=True)
            logger.warning("a process has died", extra={"process_id": process, "people": held})

    async def _heal(self, process: str, linger_ms: int, *, since_beat: bool) -> int:
        held, left = 0, 1
        while left:
            part, left = await self._bus.script(
                "room.heal", process, self._clock.now_ms(), linger_ms, GONE_AFTER_MS, int(since_beat), AT_ONCE
            )
            held += part
        return held

    async def register_all(self) -> None:
        """Registers every live call and every socket of this process again, after Redis was emptied."""
        await self._mark_calls()
        await bounded_gather(list(self._local), AT_ONCE, self.reopen)

    async def _mark_calls(self) -> None:
        """Marks all users in live calls as busy, and frees those whose call has ended since it was read."""
        after = NO_ID
        while after is not None:
            live = await self._sql.all("live_calls", LiveCall, after=after, most=AT_ONCE)
            marks = {one.user_id: f"call:{one.call_id}" for one in live}
            pairs = chain.from_iterable(marks.items())
            await self._bus.script("room.busy_mark", self._clock.now_ms(), keys.CALL_BUSY_MS, *pairs)
            await self._free_ended(marks)
            after = live[-1].user_id if len(live) == AT_ONCE else None

    async def correct(self) -> None:
        """Corrects what Redis has of this process's users: their sockets, and calls that are over."""
        user_ids = list(self._of_user)
        while part := user_ids[:AT_ONCE]:
            del user_ids[:AT_ONCE]
            await self._restore(part)
            found = zip(part, await self._bus.command("mget", *map(keys.busy, part)), strict=True)
            await self._free_ended(
                {one: mark.decode() for one, mark in found if (mark or b"")[:5] == b"call:"}
            )

    async def _restore(self, user_ids: list[str]) -> None:
        """Registers the sockets of these users again that Redis has lost: expired, or evicted."""
        sockets = [(one, self._local[one]) for user_id in user_ids for one in self._of_user.get(user_id, ())]
        values = chain.from_iterable((local.user_id, one, int(local.counts)) for one, local in sockets)
        for socket_id in await self._bus.script("room.sockets_missing", *values):
            await self.reopen(socket_id.decode())

    async def _free_ended(self, marks: dict[str, str]) -> None:
        """A mark is set after its call has begun, so a marked call that is not live has ended."""
        live = await self._sql.all("live_calls_of", LiveCall, user_ids=list(marks)) if marks else []
        is_live = {(one.user_id, f"call:{one.call_id}") for one in live}
        for user_id, mark in marks.items():
            if (user_id, mark) not in is_live:
                await self.forget_call(user_id, mark)

    async def depart(self) -> None:
        """Removes the sockets of this process when it stops; their users stay listed for ten seconds."""
        await self._heal(self._bus.process_id, 10_000, since_beat=False)
