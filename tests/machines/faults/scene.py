"""The users affected by a fault of PostgreSQL or Redis, and checks of the errors and the recovery.

Calls that go on, a call that ends during the fault, users who wait.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from tests.machines.actors.actor import Actor, in_call
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.clients import Client
from tests.support.pace import within
from tests.support.scenes import until

ANSWER_SECONDS = 3.0
HEAL_SECONDS = 5.0
AWAY_SECONDS = 4.0
AT_ONCE = 25


@dataclass
class Scene:
    """Two calls across processes, one of which ends during the fault, and a user in the room."""

    machines: Machines
    anna: Actor
    ben: Actor
    cleo: Actor
    dana: Actor
    emil: Actor
    fritz: Actor
    gina: Actor
    hugo: Actor
    going: str
    ending: str

    async def healed(self) -> None:
        """Every process serves the room again, and the waiting user is listed."""
        for machine in self.machines.all:
            with self.machines.client(machine) as client:
                await until(lambda client=client: self._is_served(client), within(HEAL_SECONDS))
        await until(lambda: self.machines.is_listed(self.emil), within(HEAL_SECONDS))

    async def _is_served(self, client: Client) -> bool:
        return (await client.get("/room/queue", token=self.emil.token)).status == 200

    async def check(self) -> None:
        """The call whose time was over has ended, once; the other keeps its seats, its clock and its chat."""
        await until(lambda: self.machines.end_of(self.ending), within(HEAL_SECONDS))
        assert await self.cleo.talking.end() == await self.dana.talking.end()
        await self.machines.check_over(self.ending, self.cleo, self.dana, "expired", set())
        a, b = self.anna.talking, self.ben.talking
        a.say("still here")
        await a.answered()
        await until(lambda: "still here" in b.shown.values())
        a.line.send("rtc:offer", sdp="v=0", attempt=2)
        await b.line.hear("rtc:offer")
        assert a.line.codes == b.line.codes == []
        assert abs(a.left_ms - (await self.anna.get(f"/calls/{self.going}"))["remainingMs"]) < 1000
        b.line.send("call:end")
        assert await a.end() == await b.end()
        await self.machines.check_over(self.going, self.anna, self.ben, "hung_up", {"still here"})


async def begin(machines: Machines, people: People) -> Scene:
    who = await people(8)
    places = [machines.one.url, machines.two.url]
    await asyncio.gather(*(actor.arrive(places[at % 2]) for at, actor in enumerate(who)))
    anna, ben, cleo, dana, _, _, gina, hugo = who
    going = await in_call(anna, ben, a_at=places[0], b_at=places[1], seconds=600)
    ending = await in_call(cleo, dana, a_at=places[0], b_at=places[1])
    await in_call(gina, hugo, a_at=places[0], b_at=places[1])
    return Scene(machines, *who, going, ending)


async def timed(client: Client, path: str, token: str) -> tuple[int, float]:
    began = time.monotonic()
    answer = await client.get(path, token=token)
    return answer.status, time.monotonic() - began


async def check_told(scene: Scene) -> None:
    """The fault is visible: at one process and through the proxy, many requests at once get 503 quickly."""
    machines, token = scene.machines, scene.emil.token
    with machines.client(machines.one) as near, machines.client() as proxied:
        asked = [timed(client, "/room/queue", token) for client in (near, proxied) for _ in range(AT_ONCE)]
        asked += [timed(near, path, token) for path in ("/", "/history", f"/calls/{scene.going}", "/user/me")]
        told = await asyncio.gather(*asked)
        assert {status for status, _ in told[: 2 * AT_ONCE]} == {503}
        assert {status for status, _ in told} <= {200, 404, 503}
        assert max(seconds for _, seconds in told) < within(ANSWER_SECONDS), told
        assert (await near.get("/healthz")).status == 200


async def away_for_a_while(scene: Scene, deadline: float) -> None:
    """Lasts until one second after the end of the second call. In that time two users close their pages."""
    await check_told(scene)
    await asyncio.gather(scene.hugo.talking.line.close(), scene.fritz.line.close())
    await until(lambda: time.monotonic() > deadline, AWAY_SECONDS + 1)
