"""A partner of the demo on a real site: it answers, talks, says goodbye, and rings visitors who wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from robots import partner as module
from robots import talk
from robots.client import Client, SiteMessage
from robots.partner import Partner, Role
from robots.peer import Peer
from robots.probe import ProbeSide, side
from tests.conftest import MakePerson, Person, Running
from tests.support.scenes import until


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSWER_SECONDS", "RING_AFTER_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(talk, "TYPING_SECONDS", 0.0)


@asynccontextmanager
async def partner(site: Running, *, rings: bool = False) -> AsyncIterator[None]:
    """The first partner of the demo is online."""
    robot = (await site.models.robots.seed())[0]
    role = Role(robot.token, robot.name, robot.gender, robot.seed, rings)
    playing = asyncio.create_task(Partner(site.base_url, role).run())
    try:
        yield
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


@dataclass
class Visitor:
    """A person with a browser of few words."""

    person: Person
    client: Client
    room: ProbeSide

    async def card(self) -> SiteMessage:
        """The partner's card, once it is in the room."""
        found: list[SiteMessage] = []

        async def look() -> bool:
            found[:] = (await self.client.get("/room/queue"))["users"]
            return bool(found)

        await until(look)
        return found[0]


@asynccontextmanager
async def visiting(site: Running, person: Person) -> AsyncIterator[Visitor]:
    client = Client(site.base_url, person.token)
    try:
        async with side(client, "/ws/invites") as room:
            await room.send({"type": "queue:join", "id": "1"})
            await room.wait("queue:state")
            yield Visitor(person, client, room)
    finally:
        await client.close()


async def talk_with(visitor: Visitor, start: SiteMessage, last: str = "Goodbye") -> list[str]:
    """Picture and sound arrive, and the chat; the lines until the one that begins with `last`."""
    async with side(visitor.client, f"/ws/calls/{start['callId']}") as seat:
        seat.peer = peer = Peer(
            seat.send, lambda: (AudioStreamTrack(), VideoStreamTrack()), [], is_polite=start["polite"]
        )
        await seat.wait("call:state")
        if start["polite"]:
            await peer.offer()
        async with asyncio.timeout(20):
            await peer.flow.both.wait()
        await seat.send({"type": "rtc:connected"})
        lines = [(await seat.wait("chat:message"))["text"] for _ in range(2)]
        await seat.send({"type": "chat:message", "id": "a", "text": "Bye!"})
        while not lines[-1].startswith(last):
            lines.append((await seat.wait("chat:message"))["text"])
        await seat.send({"type": "call:end"})
        await seat.wait("call:end")
    return lines


async def test_a_partner_answers_and_talks(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    async with partner(site), visiting(site, ann) as visitor:
        card = await visitor.card()
        assert (card["name"], card["isRobot"], bool(card["selfieUrl"])) == ("Mira", True, True)
        await visitor.room.send({"type": "call:invite", "toUserId": card["userId"], "requestedSeconds": 60})
        ringing = await visitor.room.wait("call:ringing")
        assert ringing["toUser"]["isRobot"]
        lines = await talk_with(visitor, await visitor.room.wait("call:start"))
        assert lines[0] == "Hi Ann! I am Mira, a robot of this demo. My picture and my voice are generated."
        assert lines[-1].startswith("Goodbye, Ann!")


async def test_it_says_goodbye_before_the_time_is_up(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "GOODBYE_SECONDS", 59.9)
    ann = await person("Ann")
    async with partner(site), visiting(site, ann) as visitor:
        card = await visitor.card()
        await visitor.room.send({"type": "call:invite", "toUserId": card["userId"], "requestedSeconds": 60})
        await talk_with(visitor, await visitor.room.wait("call:start"), "Our time is nearly up. Goodbye, Ann")


async def test_a_visitor_who_waits_is_rung_once(site: Running, person: MakePerson) -> None:
    ann = await person("Ann")
    async with partner(site, rings=True), visiting(site, ann) as visitor:
        ring = await visitor.room.wait("call:notify")
        assert (ring["fromUser"]["name"], ring["fromUser"]["isRobot"]) == ("Mira", True)
        answer = {"type": "call:accept", "inviteId": ring["inviteId"], "requestedSeconds": 120}
        await visitor.room.send(answer)
        await talk_with(visitor, await visitor.room.wait("call:start"))
