"""`state` and the events of a ring at the same time: afterwards every screen shows the truth."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models.broadcasts import Reload
from models.redis import keys
from models.settings.config import Config
from tests.conftest import MakePerson, MakeSite, Running
from tests.races.test_ring_races import CLEAN
from tests.support.clients import Socket
from tests.support.pace import within
from tests.support.scenes import Two, advance, freeze, rounds, rows, two, until


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """As many messages and sockets as the races need."""
    return Config(
        stun_urls=(), guests_per_hour=1000, api_per_minute=1_000_000, data_dir=tmp_path,
        invite_messages_per_second=100_000,
    )  # fmt: skip


@dataclass
class Screen:
    """A page that believes each message, in the order of arrival."""

    ring: str | None = None
    expires_at: str = ""
    call: str | None = None
    available: bool | None = None
    states: int = 0

    def believe(self, messages: list[dict[str, Any]]) -> Screen:
        for message in messages:
            self._believe(message)
        return self

    def _believe(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "state":
                invite = message["invite"] or {}
                self.ring, self.expires_at = invite.get("inviteId"), invite.get("expiresAt", "")
                self.call = (message["call"] or {}).get("callId")
                self.available = message["available"]
                self.states += 1
            case "call:notify" | "call:ringing" | "call:wait-extended":
                assert self.states, "an event before the first state"
                self.ring, self.expires_at = message["inviteId"], message["expiresAt"]
            case "call:cancelled" | "call:answered" if message["inviteId"] == self.ring:
                self.ring = None
            case "call:start":
                self.ring, self.call = None, message["callId"]
            case "queue:state":
                self.available = message["available"]


async def later(site: Running, most: int = 25) -> None:
    """The race's own jitter: a number of round trips."""
    for _ in range(random.randrange(most)):
        await site.models.bus.command("ping")


async def heard(socket: Socket) -> list[dict[str, Any]]:
    if not any(message["type"] == "state" for message in socket.inbox):
        socket.inbox.append(await socket.receive("state"))
    await socket.quiet()
    messages, socket.inbox = socket.inbox, []
    return messages


@pytest.mark.parametrize("is_far", [False, True])
async def test_a_ring_while_a_socket_opens(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int, *, is_far: bool
) -> None:
    far = await make_site() if is_far else site
    pair = await two(site, person, far)
    for _ in range(number_of_rounds):
        opening = asyncio.create_task(far.socket("/ws/invites", pair.ben.token))
        await later(site, 60)
        invite_id = await pair.ring()
        tab = await opening
        assert Screen().believe(await heard(tab)).ring == invite_id
        tab.close()
        await end(site, pair, invite_id)


async def end(site: Running, pair: Two, invite_id: str) -> None:
    pair.a.send("call:cancel", inviteId=invite_id, id="end")
    await pair.a.receive("call:cancelled", id="end")
    await pair.b.receive("call:cancelled", inviteId=invite_id)
    await rows(site.models, CLEAN)
    for socket in (pair.a, pair.b):
        socket.inbox.clear()


@pytest.mark.parametrize("is_far", [False, True])
async def test_a_ring_that_comes_and_goes_while_the_state_is_sent_again(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int, *, is_far: bool
) -> None:
    far = await make_site() if is_far else site
    pair = await two(site, person, far)
    screen = Screen().believe(await heard(pair.b))
    for number in range(number_of_rounds):
        pair.a.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=300, id="ring")
        await later(site, 12)
        far.models.broadcasts.publish_to_user(pair.ben.user_id, Reload())
        invite_id = (await pair.a.receive("call:ringing", id="ring"))["inviteId"]
        await later(site, 12)
        if number % 2:
            pair.a.send("call:cancel", inviteId=invite_id, id="end")
            await pair.a.receive("call:cancelled", id="end")
        screen.believe(await settled(far, pair.b, screen.states))
        await shows(screen, pair.b, None if number % 2 else invite_id)
        if not number % 2:
            pair.a.send("call:cancel", inviteId=invite_id, id="end")
            await pair.a.receive("call:cancelled", id="end")
            screen.believe([await pair.b.receive("call:cancelled", inviteId=invite_id)])
        await rows(site.models, CLEAN)


async def shows(screen: Screen, socket: Socket, ring: str | None) -> None:
    """The page ends with this ring, or without one. On a busy machine, events of the other process may still
    be on their way; a wrong `state` is corrected by none of them.
    """
    deadline = time.monotonic() + within(2)
    while screen.ring != ring:
        assert time.monotonic() < deadline, screen
        await socket.quiet()
        messages, socket.inbox = socket.inbox, []
        screen.believe(messages)


async def settled(far: Running, socket: Socket, states: int) -> list[dict[str, Any]]:
    """The messages that have arrived when nothing is under way any more."""
    await socket.quiet()
    if not any(message["type"] == "state" for message in socket.inbox):
        socket.inbox.append(await socket.receive("state"))
    await far.models.bus.command("ping")
    await socket.quiet()
    await socket.quiet()
    messages, socket.inbox = socket.inbox, []
    return messages


async def test_joining_and_leaving_while_the_state_is_sent_again(
    site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    anna = await person("Anna")
    socket = await site.invites(anna)
    screen = Screen().believe(await heard(socket))
    for number in range(number_of_rounds):
        site.models.broadcasts.publish_to_user(anna.user_id, Reload())
        await later(site, 10)
        socket.send("queue:leave" if number % 2 else "queue:join", id=str(number))
        screen.believe([*await heard(socket)])
        listed = await site.models.bus.command("zscore", keys.QUEUE, anna.user_id) is not None
        assert screen.available == listed == (number % 2 == 0)


async def test_another_tab_does_not_take_the_start_of_the_call(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    """Other tabs of the caller open and request their state; the inviting socket goes into the call."""
    far = await make_site()
    pair = await two(site, person)
    for _ in range(30):
        for one in (site, far):  # both have their heartbeats, however long this test takes
            await rounds(one)
        invite_id = await pair.ring()
        tabs = [await one.socket("/ws/invites", pair.anna.token) for one in (site, far)]
        for tab in tabs:
            assert (await tab.receive("state"))["invite"]["inviteId"] == invite_id
        far.models.broadcasts.publish_to_user(pair.anna.user_id, Reload())
        pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="accept")
        started = await pair.b.receive("call:start", id="accept")
        assert (await pair.a.receive("call:start"))["callId"] == started["callId"]
        for tab in tabs:
            await tab.receive("call:answered", inviteId=invite_id)
            assert "call:start" not in await tab.quiet()
            tab.close()
        await site.models.calls.hang_up(started["callId"])
        await rows(site.models, CLEAN)


async def test_a_socket_of_the_caller_replaces_one_that_has_gone(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring()
    pair.a.close()
    gone = f"ns:sockets:{pair.anna.user_id}"

    async def is_closed() -> bool:
        return await site.models.bus.command("hkeys", gone) == [b"linger"]

    await until(is_closed)
    sockets = []
    for _ in range(2):
        sockets.append(await site.socket("/ws/invites", pair.anna.token))
        assert (await sockets[-1].receive("state"))["invite"]["direction"] == "out"
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="accept")
    await pair.b.receive("call:start", id="accept")
    await sockets[0].receive("call:start")
    await sockets[1].receive("call:answered", inviteId=invite_id)


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [("a" * 32, "a" * 32, True), ("a" * 32, "b" * 32, False), ("", "", False), ("x.", "x.", False)],
)
async def test_a_reconnected_tab_replaces_its_socket_that_only_looks_open(
    site: Running, person: MakePerson, first: str, second: str, is_same: bool
) -> None:
    """After a change of networks the server has not noticed the end of the older connection yet."""
    pair = await two(site, person)
    inviting = await site.socket(f"/ws/invites?tab={first}", pair.anna.token)
    await inviting.receive("state")
    inviting.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=300)
    invite_id = (await inviting.receive("call:ringing"))["inviteId"]
    again = await site.socket(f"/ws/invites?tab={second}", pair.anna.token)
    assert (await again.receive("state"))["invite"]["direction"] == "out"
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="accept")
    await pair.b.receive("call:start", id="accept")
    started, answered = (again, inviting) if is_same else (inviting, again)
    await started.receive("call:start")
    await answered.receive("call:answered", inviteId=invite_id)


async def test_a_socket_replaces_one_on_a_process_that_has_missed_its_heartbeats(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    pair = await two(far, person, site)
    freeze(site, far)
    for one in (site, far):
        await rounds(one)
    invite_id = await pair.ring()
    advance(3.5, site)
    await rounds(site)
    tab = await site.socket("/ws/invites", pair.anna.token)
    assert (await tab.receive("state"))["invite"]["inviteId"] == invite_id
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="accept")
    await tab.receive("call:start")


async def test_an_ended_ring_is_not_restored_by_a_late_socket(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring()
    ring = await site.models.rings.find(invite_id)
    assert ring is not None
    await site.models.outcomes.settle(ring, lambda _inviting: None)
    now = site.models.clock.now_ms()
    assert not await site.models.rings.adopt(invite_id, pair.anna.user_id, "late", now)
    assert not await site.models.bus.command("exists", keys.invite(invite_id))
