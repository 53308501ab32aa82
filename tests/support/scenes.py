"""Starting points of many tests: two users with a ring, two in a call; and rows, read without the models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from models.redis import keys
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.clients import Socket

ROUNDS_UNTIL_BEAT = 4


async def rows(models: Models, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Runs SQL in PostgreSQL, also for writes."""
    async with models.db.link() as link:
        await link.execute(sql, values)
        return list(link.cursor.fetchall()) if link.cursor.description else []


async def cooldown_seconds(models: Models, one: Person, other: Person) -> int:
    """How long the two cannot call each other, by the site's clock; 0: they can."""
    low, high = sorted([one.user_id, other.user_id])
    found = await rows(models, "select until_at from cooldowns where (low_id, high_id) = (%s, %s)", low, high)
    return round((found[0][0] - models.clock.now()).total_seconds()) if found else 0


async def ban(models: Models, person: Person) -> None:
    """The row alone: nothing is enforced, as if another process had just decided it."""
    await rows(
        models,
        "insert into bans (ban_id, user_id, rule, reason, created_at) "
        "values (gen_random_uuid(), %s, 'r', 'r', now())",
        person.user_id,
    )


async def block(models: Models, blocker: Person, blocked: Person) -> None:
    """The row alone: no ring or call is ended."""
    sql = "insert into blocks values (%s, %s, now()) on conflict do nothing"
    await rows(models, sql, blocker.user_id, blocked.user_id)


async def silent(models: Models, process_id: str, seconds: float) -> None:
    """A process without a heartbeat for so long."""
    sql = "update processes set seen_at = clock_timestamp() - %s * interval '1 second' where process_id = %s"
    await rows(models, sql, seconds, process_id)


async def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    """Waits for a condition that has no message; the limit only ends a failing test."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.005)


def stand_still(models: Models) -> datetime:
    """Freezes the clock at the current time."""
    now = datetime.now(UTC).replace(microsecond=0)
    models.clock.freeze(now)
    return now


def freeze(*sites: Running) -> None:
    """Freezes all clocks at the same instant."""
    now = stand_still(sites[0].models)
    for site in sites:
        site.models.clock.freeze(now)


def advance(seconds: float, *sites: Running) -> None:
    for site in sites:
        site.models.clock.advance(seconds=seconds)


async def rounds(site: Running, number: int = ROUNDS_UNTIL_BEAT) -> None:
    for _ in range(number):
        await site.models.sweep.once()


async def goodbye(site: Running) -> None:
    """Drains the process as on SIGTERM; its database stays open for the rest of the test."""
    site.server.stop()
    await site.site.hub.drain()
    await site.models.sweep.stop()


async def crash(site: Running) -> None:
    """Simulates a crash: the sockets of the process fall silent, without any event."""
    site.site.hub.is_draining = True
    site.server.stop()
    for socket in site.sockets:
        socket.close()
    await silent(site.models, site.models.bus.process_id, 60)


@dataclass
class Raw:
    """A raw socket for what no client does: it never reads, and never closes in order."""

    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, site: Running, path: str, token: str, *, wait: bool = True) -> Raw:
        reader, writer = await asyncio.open_connection("localhost", site.config.port, limit=1024)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        if wait:
            assert b"101" in await reader.readline()
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        return cls(writer)

    def send(self, *texts: str) -> None:
        """Text frames under an empty mask (RFC 6455, 5.2), all in one write."""
        assert all(len(text) < 126 for text in texts)
        frames = [bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode() for text in texts]
        self.writer.write(b"".join(frames))

    def close(self) -> None:
        self.writer.close()


@dataclass
class Two:
    """Anna calls, Ben is called; each with an invite socket on a site."""

    anna: Person
    ben: Person
    a: Socket
    b: Socket

    async def ring(self, seconds: int = 300) -> str:
        self.a.send("call:invite", toUserId=self.ben.user_id, requestedSeconds=seconds, id="ring")
        ringing = await self.a.receive("call:ringing", id="ring")
        await self.b.receive("call:notify", inviteId=ringing["inviteId"])
        return str(ringing["inviteId"])

    async def call(self, seconds: int = 300) -> str:
        """The id of a call that has just been accepted."""
        invite_id = await self.ring(seconds)
        self.b.send("call:accept", inviteId=invite_id, requestedSeconds=seconds, id="accept")
        await self.b.receive("call:start", id="accept")
        return str((await self.a.receive("call:start"))["callId"])


async def two(site: Running, person: MakePerson, far: Running | None = None) -> Two:
    """Ben is on the other site, if there is one."""
    anna, ben = await person("Anna"), await person("Ben", gender="male")
    return Two(anna, ben, await site.invites(anna), await (far or site).invites(ben))


@dataclass
class InCall:
    """Both seats are taken; the clock stands still until `connect`."""

    people: Two
    call_id: str
    a: Socket
    b: Socket

    async def connect(self) -> None:
        self.a.send("rtc:connected")
        self.b.send("rtc:connected")
        await self.a.receive("call:clock", state="running")
        await self.b.receive("call:clock", state="running")

    async def end(self) -> dict[str, Any]:
        self.a.send("call:end")
        await self.b.receive("call:end")
        return await self.a.receive("call:end")


async def in_call(
    site: Running,
    person: MakePerson,
    far: Running | None = None,
    *,
    seconds: int = 300,
    connected: bool = True,
) -> InCall:
    people = await two(site, person, far)
    call_id = await people.call(seconds)
    a = await site.relay(people.anna, call_id)
    await a.receive("call:state")
    b = await (far or site).relay(people.ben, call_id)
    await b.receive("call:state")
    await a.receive("peer:joined")
    scene = InCall(people, call_id, a, b)
    if connected:
        await scene.connect()
    return scene


async def places(make_site: MakeSite, processes: int) -> Running | None:
    """The other site, if there are two processes."""
    return await make_site() if processes == 2 else None


async def next_frame(socket: Socket) -> str:
    """The next relayed frame, unchanged."""
    async with asyncio.timeout(5):
        while True:
            frame = await socket.connection.read_message()
            assert isinstance(frame, str)
            if not frame.startswith('{"type":"peer:'):
                return frame


async def is_listed(site: Running, person: Person) -> bool:
    return await site.models.bus.command("zscore", keys.QUEUE, person.user_id) is not None


async def are_online(site: Running, number: int) -> bool:
    return await site.models.presence.online_users() == number


async def listed(models: Models, number: int) -> list[str]:
    """As many users as requested with a joined socket of no real process; one second between groups of
    ten.
    """
    found = await rows(
        models,
        "insert into users (user_id, name, gender, adult_at, created_at) "
        "select gen_random_uuid(), 'P' || n, 'female', now(), now() from generate_series(1, %s) n "
        "returning user_id::text",
        number,
    )
    for place, (user_id,) in enumerate(found, 1):
        await models.presence.open(user_id, f"s{user_id}", counts=True)
        assert await models.presence.join(f"s{user_id}")
        if models.clock.frozen and place % 10 == 0:
            models.clock.advance(seconds=1)
    return [row[0] for row in found]
