"""Two processes and a Redis over TCP that stalls: what was sent in the stall is on every screen
afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest

from models.errors import Unavailable
from models.redis import pipeline
from tests.conftest import MakePerson, MakeSite, Running
from tests.machines.faults.fault_proxy import FAULTS, Fault, FaultProxy
from tests.support.clients import Socket
from tests.support.pace import within
from tests.support.scenes import in_call, two, until
from tests.support.servers import RunningServers, Servers

STALL_SECONDS = 3.2
HEAL_SECONDS = 5.0
REFUSED_SECONDS = 3.0
LINE_SECONDS = 0.6
# The second connection of a process; the first is for commands.
LISTENING = 1


@pytest.fixture
def proxy(running_servers: RunningServers) -> Iterator[FaultProxy]:
    with FaultProxy(unquote(urlsplit(running_servers.urls.redis_url).path)) as opened:
        yield opened


@pytest.fixture
def servers(running_servers: RunningServers, proxy: FaultProxy) -> Servers:
    """Every process reaches Redis over TCP."""
    return replace(running_servers.empty(), redis_url=f"redis://127.0.0.1:{proxy.port}")


async def is_away(site: Running) -> bool:
    try:
        await site.models.bus.command("ping")
    except Unavailable:
        return True
    return False


async def rest(began: float, seconds: float) -> None:
    await until(lambda: time.monotonic() - began >= seconds, seconds + 1)


async def test_a_chat_message_sent_in_a_stall_reaches_the_other_process(
    make_site: MakeSite, site: Running, person: MakePerson, proxy: FaultProxy
) -> None:
    scene = await in_call(site, person, await make_site())
    began = time.monotonic()
    with proxy.fault("silent"):
        # Queued behind a command that is not answered, so that it is never sent.
        asked = asyncio.ensure_future(is_away(site))
        scene.a.send("chat:message", text="hello", id="1")
        assert (await scene.a.receive("chat:message", id="1"))["text"] == "hello"
        assert await asked
        await rest(began, STALL_SECONDS)
        assert "hello" not in str(scene.b.inbox)
    state = await scene.b.receive("call:state", seconds=within(HEAL_SECONDS))
    assert [line["text"] for line in state["messages"]] == ["hello"]
    scene.a.send("chat:message", text="again", id="2")
    assert (await scene.b.receive("chat:message"))["text"] == "again"


async def test_the_clock_that_started_in_a_stall_runs_on_both_screens(
    make_site: MakeSite, site: Running, person: MakePerson, proxy: FaultProxy
) -> None:
    scene = await in_call(site, person, await make_site(), connected=False)
    scene.b.send("rtc:connected")
    await scene.b.quiet()
    began = time.monotonic()
    with proxy.fault("silent"):
        asked = asyncio.ensure_future(is_away(site))
        scene.a.send("rtc:connected")
        await scene.a.receive("call:clock", state="running")
        assert await asked
        await rest(began, STALL_SECONDS)
        assert not [one for one in scene.b.inbox if one["type"] == "call:clock"]
    state = await scene.b.receive("call:state", seconds=within(HEAL_SECONDS))
    assert state["state"] == "running"


async def test_a_ring_that_was_cancelled_in_a_stall_is_over_on_both_screens(
    make_site: MakeSite, site: Running, person: MakePerson, proxy: FaultProxy
) -> None:
    pair = await two(site, person, await make_site())
    invite_id = await pair.ring()
    with proxy.fault("silent", lost=True):
        pair.a.send("call:cancel", inviteId=invite_id, id="cancel")
        assert await is_away(site)
    pair.a.send("call:cancel", inviteId=invite_id, id="again")
    await pair.b.receive("state", seconds=within(HEAL_SECONDS), invite=None)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "seconds", [0.5, pytest.param(3.0, marks=pytest.mark.prove), pytest.param(10.0, marks=pytest.mark.prove)]
)
async def test_an_outage_under_traffic(
    make_site: MakeSite, site: Running, person: MakePerson, proxy: FaultProxy, fault: Fault, seconds: float
) -> None:
    """All messages sent arrive; pages answer in time; within five seconds everything works again."""
    far = await make_site()
    scene = await in_call(site, person, far)
    said, answers = 0, []
    connections = proxy.accepted
    began = time.monotonic()
    with proxy.fault(fault, lost=True):
        while time.monotonic() - began < seconds:
            scene.a.send("chat:message", text=f"line {said}", id=str(said))
            said += 1
            asked = time.monotonic()
            answer = await site.client.get("/room/queue", token=scene.people.anna.token)
            answers.append((answer.status, time.monotonic() - asked))
            await rest(began, min(seconds, time.monotonic() - began + LINE_SECONDS))
    healed = time.monotonic()
    # The fault had an effect: some request failed, waited, or had to reconnect.
    slowest = max(took for _, took in answers)
    assert any(status == 503 for status, _ in answers) or proxy.accepted > connections or slowest > 0.3
    assert {status for status, _ in answers} <= {200, 503}
    assert slowest < within(REFUSED_SECONDS)
    await until(lambda: works(site, scene.people.anna.token), within(HEAL_SECONDS))
    for number in range(said):
        await scene.a.receive("chat:message", id=str(number), seconds=within(HEAL_SECONDS))
    wanted = {f"line {number}" for number in range(said)}
    await until(lambda: has_all(scene.b, wanted), within(HEAL_SECONDS))
    assert time.monotonic() - healed < within(HEAL_SECONDS) + 1
    # Both ways again: as an event, or in a state if this machine is too slow for one of the limits.
    await until(lambda: site.models.bus.subscriber.is_listening and far.models.bus.subscriber.is_listening)
    for one, other, text in ((scene.a, scene.b, "to Ben"), (scene.b, scene.a, "to Anna")):
        one.send("chat:message", text=text, id=text)
        await until(lambda other=other, text=text: has_all(other, {text}), within(HEAL_SECONDS))


async def works(site: Running, token: str) -> bool:
    return (await site.client.get("/room/queue", token=token)).status == 200


async def has_all(socket: Socket, wanted: set[str]) -> bool:
    return await lines_of(socket) >= wanted


async def lines_of(socket: Socket) -> set[str]:
    """Every chat message that this socket has got, as an event or in a state."""
    await socket.quiet()
    states = [line for one in socket.inbox for line in one.get("messages", [])]
    return {line["text"] for line in states + socket.inbox if "text" in line}


async def test_a_second_socket_waits_for_the_users_subscription(
    site: Running, person: MakePerson, proxy: FaultProxy
) -> None:
    """Of two sockets that open at once, neither gets its state before events about the user can arrive."""
    anna = await person("Anna")
    proxy.hold_answers(LISTENING)
    opened = [await site.socket("/ws/invites", anna.token) for _ in "ab"]
    told = [asyncio.ensure_future(socket.receive("state")) for socket in opened]
    await until(lambda: len(site.site.hub.invite_sockets.get(anna.user_id, ())) == 2)
    assert not (await asyncio.wait(told, timeout=0.5))[0]
    proxy.hold_answers(is_held=False)
    await asyncio.gather(*told)


async def test_a_first_socket_that_fails_does_not_break_the_second(
    make_site: MakeSite, site: Running, person: MakePerson, proxy: FaultProxy
) -> None:
    far = await make_site()
    anna = await person("Anna")
    with proxy.fault("silent", lost=True):
        first = await site.socket("/ws/invites", anna.token)
        second = await site.socket("/ws/invites", anna.token)
        assert await first.closed() == await second.closed() == 1013
    await until(lambda: not site.site.hub._work)
    third = await site.socket("/ws/invites", anna.token)
    await third.receive("state")
    await far.models.sessions.end(anna.session_id, "signed_out")
    assert await third.closed() == 4401


@pytest.mark.parametrize("fault", ["deaf"])
async def test_new_sockets_open_although_the_subscription_connection_is_frozen(
    site: Running, person: MakePerson, proxy: FaultProxy, fault: Fault
) -> None:
    anna = await person("Anna")
    refused = 0
    began = time.monotonic()
    with proxy.fault(fault):
        while True:
            socket = await site.socket("/ws/invites", anna.token)
            try:
                await socket.receive("state")
                break
            except ConnectionError:
                refused += 1
        assert refused <= 1
        assert time.monotonic() - began < within(pipeline.ANSWER_SECONDS + HEAL_SECONDS)
