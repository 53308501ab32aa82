"""Who is here: the sockets of people, and from them who is online, listed and away. All of it lives in Redis.

Listed = a joined socket that is not away, and not busy (ringing or in a call); decided in
models/redis/lua/settle.lua, atomically with every change.
Away = no socket for 10 s, or the tab hidden for 15 s without notifications. This process remembers its own
sockets, so that an emptied or
restarted Redis is told everything again; a process that died is noticed by the beat of the others and its
people are healed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

import msgspec

from models.clock import Clock
from models.postgres.database import Db
from models.redis import keys
from models.redis.client import Bus
from models.retry import persist

logger = logging.getLogger(__name__)
GONE_AFTER_MS = 5_000
# Of a process that died, counted from its last beat; a round of the sweep comes on top.
DEAD_LINGER_MS = 9_500
# People or sockets in one step, so that neither Redis nor this process stands still for long.
AT_ONCE = 500
NO_ID: str | None = "00000000-0000-0000-0000-000000000000"


class LocalSocket(msgspec.Struct):
    """One invite socket of this process, as this process knows it."""

    user_id: str
    has_access: bool
    is_joined: bool = False
    hidden_since: int = 0


class Opened(msgspec.Struct, frozen=True):
    """`busy` is "", "invite:<id>" or "call:<id>"."""

    is_available: bool
    busy: str


class LiveCall(msgspec.Struct, frozen=True):
    user_id: str
    call_id: str


class RedisBeat(msgspec.Struct, frozen=True):
    """Whether Redis still knew this process, and the processes that have stopped beating."""

    is_known: bool
    dead: list[str]


class Presence:
    def __init__(self, db: Db, bus: Bus, clock: Clock) -> None:
        self._sql = db.statements("room.presence")
        self._bus = bus
        self._clock = clock
        self._local: dict[str, LocalSocket] = {}
        self._of_user: dict[str, set[str]] = {}

    async def open(self, user_id: str, socket_id: str, *, has_access: bool) -> Opened:
        """Registers a socket; it has not joined yet."""
        self._local[socket_id] = LocalSocket(user_id, has_access)
        self._of_user.setdefault(user_id, set()).add(socket_id)
        return await self._announce(socket_id, self._local[socket_id])

    def is_known(self, socket_id: str) -> bool:
        """Has this socket of this process been registered, and not closed yet?"""
        return socket_id in self._local

    async def reopen(self, socket_id: str) -> Opened | None:
        """Registers a socket again as it was: after Redis was away. None when it has closed meanwhile."""
        local = self._local.get(socket_id)
        return None if local is None else await self._announce(socket_id, local)

    async def close(self, socket_id: str) -> None:
        """Forgets a socket; its person stays listed for ten seconds if it had joined."""
        local = self._local.pop(socket_id, None)
        if local is None:
            return
        mine = self._of_user[local.user_id]
        mine.discard(socket_id)
        if not mine:
            del self._of_user[local.user_id]
        # Redis may be away for a moment, and come back with the socket still on its list.
        await persist(lambda: self._tell_closed(local.user_id, socket_id, is_last=not mine))

    async def _tell_closed(self, user_id: str, socket_id: str, *, is_last: bool) -> None:
        process, now = self._bus.process_id, self._clock.now_ms()
        await self._bus.script("socket_close", user_id, socket_id, process, now, GONE_AFTER_MS, int(is_last))

    async def join(self, socket_id: str) -> bool:
        """True when the person is listed now (False while ringing or in a call)."""
        return await self._mark(socket_id, joined=True)

    async def leave(self, socket_id: str) -> bool:
        """True when another joined socket keeps the person listed."""
        return await self._mark(socket_id, joined=False)

    async def hide(self, socket_id: str, *, is_hidden: bool, has_notifications: bool) -> None:
        """A hidden tab counts as away after 15 s, unless notifications were granted."""
        away = is_hidden and not has_notifications
        if socket_id in self._local:
            self._local[socket_id].hidden_since = self._clock.now_ms() if away else 0
            await self._mark(socket_id)

    async def _mark(self, socket_id: str, *, joined: bool | None = None) -> bool:
        local = self._local.get(socket_id)
        if local is None:
            return False  # it has closed
        if joined is not None:
            local.is_joined = joined
        mark = "-" if joined is None else int(joined)
        now = self._clock.now_ms()
        return bool(
            await self._bus.script("socket_mark", local.user_id, socket_id, now, mark, local.hidden_since)
        )

    async def _announce(self, socket_id: str, local: LocalSocket) -> Opened:
        answer = await self._bus.script(
            "socket_open", local.user_id, socket_id, self._bus.process_id, self._clock.now_ms(),
            int(local.has_access), int(local.is_joined), local.hidden_since,
        )  # fmt: skip
        return Opened(is_available=bool(answer[0]), busy=answer[1].decode())

    async def gain_access(self, user_id: str) -> None:
        """The person's open sockets count as online from now on."""
        for socket_id in list(self._of_user.get(user_id, ())):
            local = self._local.get(socket_id)
            if local is not None:
                local.has_access = True
                await self._announce(socket_id, local)

    async def lose_access(self, user_id: str) -> None:
        """The person's sockets on this process leave the queue and no longer count as online."""
        for socket_id in list(self._of_user.get(user_id, ())):
            if socket_id in self._local:  # it may close while we wait for another
                self._local[socket_id].has_access = False
                await self._mark(socket_id, joined=False)
        await self._bus.command("srem", keys.ONLINE, user_id)

    async def remove(self, user_id: str) -> None:
        """Off the queue at once, without the ten seconds of somebody who left; every process does it for its
        own sockets.
        """
        await self.lose_access(user_id)
        await self._bus.command("hdel", keys.sockets(user_id), "linger")
        await self._bus.script("socket_mark", user_id, "", self._clock.now_ms(), 0, "-")

    async def forget(self, user_id: str) -> None:
        """Whom they saw, and when they were shown."""
        await self._bus.command("del", keys.SEEN + user_id, keys.COUNTED + user_id)
        await self._bus.command("zrem", keys.SHOWN, user_id)

    async def unsee(self, one_id: str, other_id: str) -> None:
        """Neither has the other on the screen: the next page may hold the card again, behind a cursor too."""
        for viewer, card in ((one_id, other_id), (other_id, one_id)):
            await self._bus.command("zrem", keys.SEEN + viewer, card)

    async def are_listed(self, user_ids: Sequence[str]) -> list[bool]:
        """Which of these people are on the queue now; at least one."""
        scores = await self._bus.command("zmscore", keys.QUEUE, *user_ids)
        return [score is not None for score in scores]

    async def online_users(self) -> int:
        """How many people with access have a socket, on all processes."""
        return int(await self._bus.command("scard", keys.ONLINE))

    async def free_from_call(self, call_id: str, user_ids: Iterable[str]) -> None:
        """A call's end restores what the joined sockets say."""
        await self._bus.script("busy_free", self._clock.now_ms(), f"call:{call_id}", *user_ids)

    async def forget_call(self, user_id: str, busy: str) -> bool:
        """Frees somebody from a call that is over; True when they are listed now."""
        return bool(await self._bus.script("busy_free", self._clock.now_ms(), busy, user_id))

    # -- healing --

    async def look_at_away(self) -> None:
        await self._bus.script("away_due", self._clock.now_ms())

    async def beat(self) -> RedisBeat:
        """Says that this process lives."""
        now = self._clock.now_ms()
        answer = await self._bus.script("beat", self._bus.process_id, now, keys.PROCESS_DEAD_MS)
        return RedisBeat(bool(answer[0]), [process.decode() for process in answer[1:]])

    async def heal(self, dead: Iterable[str]) -> None:
        """Forgets processes that have died, a part of their sockets at a time."""
        for process in dead:
            held = await self._heal(process, DEAD_LINGER_MS, since_beat=True)
            logger.warning("a process has died", extra={"process_id": process, "people": held})

    async def _heal(self, process: str, linger_ms: int, *, since_beat: bool) -> int:
        held, left = 0, 1
        while left:
            part, left = await self._bus.script(
                "heal", process, self._clock.now_ms(), linger_ms, GONE_AFTER_MS, int(since_beat), AT_ONCE
            )
            held += part
        return held

    async def announce_all(self) -> None:
        """Tells an emptied Redis every live call and every socket of this process again."""
        await self._mark_calls()
        sockets = list(self._local)
        for at in range(0, len(sockets), AT_ONCE):
            await asyncio.gather(*(self.reopen(socket_id) for socket_id in sockets[at : at + AT_ONCE]))

    async def _mark_calls(self) -> None:
        """Everybody in a live call is busy. Who has left it meanwhile is freed again."""
        after = NO_ID
        while after is not None:
            live = await self._sql.all("live_calls", LiveCall, after=after, most=AT_ONCE)
            marks = {one.user_id: f"call:{one.call_id}" for one in live}
            pairs = [value for mark in marks.items() for value in mark]
            await self._bus.script("busy_mark", self._clock.now_ms(), keys.CALL_BUSY_MS, *pairs)
            await self._free_ended(marks)
            after = live[-1].user_id if len(live) == AT_ONCE else None

    async def correct_calls(self) -> None:
        """Frees the people of this process from calls that PostgreSQL does not know as theirs."""
        user_ids = list(self._of_user)
        while part := user_ids[:AT_ONCE]:
            del user_ids[:AT_ONCE]
            found = await self._bus.command("mget", *map(keys.busy, part))
            marks = {user_id: mark.decode() for user_id, mark in zip(part, found, strict=True) if mark}
            await self._free_ended({one: mark for one, mark in marks.items() if mark.startswith("call:")})

    async def _free_ended(self, marks: dict[str, str]) -> None:
        """A call is marked after it has begun: one that is not live once its mark was seen has ended."""
        live = await self._sql.all("live_calls_of", LiveCall, user_ids=list(marks)) if marks else []
        is_live = {(one.user_id, f"call:{one.call_id}") for one in live}
        for user_id, mark in marks.items():
            if (user_id, mark) not in is_live:
                await self.forget_call(user_id, mark)

    async def depart(self) -> None:
        """This process stops: its sockets go, and the people keep their place for ten seconds."""
        await self._heal(self._bus.process_id, 10_000, since_beat=False)
