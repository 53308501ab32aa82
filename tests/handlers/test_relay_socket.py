"""The relay: frames pass untouched and in order, wait for an empty seat, and a seat has one holder."""

from __future__ import annotations

import asyncio
import json
import uuid

import pytest

from tests.clients import Socket
from tests.conftest import MakePerson, MakeSite, Running
from tests.stage import InCall, Raw, advance, ban, crash, freeze, goodbye, in_call, rounds, rows, two, until

PASSED = [
    '{"type":"rtc:offer","sdp":"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\n"}',
    '{"type" : "rtc:offer",  "sdp":"spaces  stay",\t"attempt": 3}',
    '{"type":"rtc:answer","sdp":"\\u00e9\\ud83d\\ude00 é 😀","attempt":1}',
    '{"type":"rtc:ice","candidate":{"candidate":"","sdpMid":null,"x":[1e3,1.50,-0]}}',
    '{"type":"rtc:ice","candidates":[],"candidates":[1],"unknown":{"type":"call:end"}}',
    '{"attempt":9,"sdp":"type comes last","type":"rtc:offer"}',
]


async def raw(socket: Socket) -> str:
    """The next frame, as it is."""
    async with asyncio.timeout(5):
        while True:
            frame = await socket.connection.read_message()
            assert isinstance(frame, str)
            if json.loads(frame)["type"] != "peer:joined":
                return frame


async def places(make_site: MakeSite, site: Running, number: int) -> Running | None:
    return await make_site() if number == 2 else None


PLACES = pytest.mark.parametrize("processes", [1, 2])


@PLACES
async def test_frames_pass_untouched_and_in_order(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    scene = await in_call(site, person, await places(make_site, site, processes), connected=False)
    many = PASSED + [json.dumps({"type": "rtc:ice", "candidate": number}) for number in range(100)]
    for frame in many:
        scene.a.send_raw(frame)
    assert [await raw(scene.b) for _ in many] == many
    scene.b.send_raw(PASSED[2])
    assert await raw(scene.a) == PASSED[2]


async def test_nothing_comes_back_to_the_sender(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, connected=False)
    scene.a.send("rtc:offer", sdp="x", id="1")
    await scene.b.receive("rtc:offer")
    assert await scene.a.quiet() == []


async def test_on_open_the_whole_call_is_told(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    freeze(site)
    call_id = await pair.call(90)
    a = await site.relay(pair.anna, call_id)
    state = await a.receive("call:state")
    now = site.models.clock.now_ms()
    polite = state.pop("polite")
    assert state.pop("connectBy")
    assert state.pop("peerUser")["userId"] == pair.ben.user_id
    assert state == {
        "type": "call:state", "callId": call_id, "state": "connecting", "agreedSeconds": 90,
        "remainingMs": 90_000, "serverNow": now, "peerHere": False, "messages": [],
    }  # fmt: skip
    b = await site.relay(pair.ben, call_id)
    other = await b.receive("call:state")
    assert (other["polite"], other["peerHere"]) == (not polite, True)
    assert await a.receive("peer:joined") == {"type": "peer:joined"}
    assert await b.quiet() == []


@PLACES
async def test_what_comes_for_an_empty_seat_waits_and_is_delivered_in_order(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    far = await places(make_site, site, processes)
    pair = await two(site, person, far)
    call_id = await pair.call()
    a = await site.relay(pair.anna, call_id)
    frames = [json.dumps({"type": "rtc:ice", "candidate": number}) for number in range(70)]
    for frame in frames:
        a.send_raw(frame)
    await a.quiet()
    b = await (far or site).relay(pair.ben, call_id)
    assert json.loads(await raw(b))["type"] == "call:state"
    assert [await raw(b) for _ in range(64)] == frames[:64]
    assert await b.quiet() == []
    a.send_raw(PASSED[1])
    assert await raw(b) == PASSED[1]


async def test_no_more_than_64_kib_wait(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    call_id = await pair.call()
    a = await site.relay(pair.anna, call_id)
    big = [json.dumps({"type": "rtc:offer", "sdp": str(number) * 30_000}) for number in range(3)]
    small = '{"type":"rtc:ice","candidate":1}'
    for frame in [*big, small]:
        a.send_raw(frame)
    await a.quiet()
    b = await site.relay(pair.ben, call_id)
    await b.receive("call:state")
    assert [await raw(b) for _ in range(3)] == [big[0], big[1], small]
    assert await b.quiet() == []


async def test_what_waits_is_forgotten_after_twenty_seconds(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    call_id = await pair.call()
    a = await site.relay(pair.anna, call_id)
    a.send("rtc:offer", sdp="x")
    await a.quiet()
    keys = await site.models.bus.command("keys", f"ns:parked:{call_id}:*")
    assert len(keys) == 1
    assert 0 < await site.models.bus.command("pttl", keys[0]) <= 20_000
    assert await site.models.bus.command("pexpire", keys[0], 1) == 1
    await until(lambda: _is_gone(site, keys[0]))
    b = await site.relay(pair.ben, call_id)
    await b.receive("call:state")
    assert await b.quiet() == []


async def _is_gone(site: Running, key: bytes) -> bool:
    return not await site.models.bus.command("exists", key)


@PLACES
async def test_a_newer_tab_takes_the_seat(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    scene = await in_call(site, person)
    other = await places(make_site, site, processes)
    newer = await (other or site).relay(scene.people.anna, scene.call_id)
    assert await scene.a.closed() == 4409
    assert (await newer.receive("call:state"))["state"] == "running"
    scene.b.send_raw(PASSED[1])
    assert json.loads(await raw(newer)) == json.loads(PASSED[1])
    # The older one's farewell changes nothing: no grace, and the peer is not told.
    assert "peer:left" not in await scene.b.quiet()
    seats = await rows(site.models, "select caller_seat is not null, caller_back_by from calls")
    assert seats == [(True, None)]


async def test_a_replaced_tab_is_heard_no_more(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    old = await Raw.open(site, f"/ws/calls/{scene.call_id}", scene.people.anna.token)
    assert await scene.a.closed() == 4409
    newer = await site.relay(scene.people.anna, scene.call_id)
    await newer.receive("call:state")
    for frame in ('{"type":"rtc:offer","sdp":"old"}', '{"type":"call:end"}', '{"type":"rtc:disconnected"}'):
        old.send(frame)
    await old.writer.drain()
    newer.send("rtc:offer", sdp="new")
    assert (await scene.b.receive("rtc:offer"))["sdp"] == "new"
    assert set(await scene.b.quiet()) <= {"peer:joined"}
    old.close()
    newer.send("rtc:offer", sdp="newer")
    assert (await scene.b.receive("rtc:offer"))["sdp"] == "newer"
    assert set(await scene.b.quiet()) <= {"peer:joined"}


async def test_media_state_reaches_the_peer_alone(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, connected=False)
    scene.a.send("media:state", audio=True, video=False)
    assert await scene.b.receive("media:state") == {"type": "media:state", "audio": True, "video": False}
    scene.a.send("media:state", audio=True, video=False, camera=True, wantsVideo=False)
    told = {"type": "media:state", "audio": True, "video": False, "camera": True, "wantsVideo": False}
    assert await scene.b.receive("media:state", camera=True) == told
    assert await scene.a.quiet() == []


async def test_both_may_open_at_the_same_moment(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    call_id = await pair.call()
    for _ in range(10):
        a, b = await asyncio.gather(site.relay(pair.anna, call_id), site.relay(pair.ben, call_id))
        await asyncio.gather(a.receive("call:state", seconds=1.5), b.receive("call:state", seconds=1.5))


async def test_a_seat_that_closes_while_it_opens_is_not_held(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    call_id = await pair.call()
    for number in range(20):
        raw_socket = await Raw.open(site, f"/ws/calls/{call_id}", pair.anna.token, wait=False)
        await raw_socket.writer.drain()
        for _ in range(number * 2):
            await asyncio.sleep(0)
        raw_socket.close()
    b = await site.relay(pair.ben, call_id)
    await b.receive("call:state")
    await until(lambda: _caller_seat(site), seconds=3)
    await until(lambda: not site.site.hub.seats[call_id].get("caller"))


async def _caller_seat(site: Running) -> bool:
    found = await rows(site.models, "select caller_seat from calls")
    return found == [(None,)] and not await site.models.bus.command("keys", "ns:seat:*:caller")


@pytest.mark.parametrize("call_id", ["x", "0", str(uuid.UUID(int=0)), str(uuid.uuid4()).upper(), "a" * 64])
async def test_what_is_no_call_is_told_4404(site: Running, person: MakePerson, call_id: str) -> None:
    anna = await person()
    assert await (await site.relay(anna, call_id)).closed() == 4404


async def test_a_stranger_is_told_4404_as_for_no_call(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    cleo = await person("Cleo")
    mine, none = await site.relay(cleo, scene.call_id), await site.relay(cleo, str(uuid.uuid4()))
    assert await mine.closed() == await none.closed() == 4404
    assert mine.connection.close_reason == none.connection.close_reason
    assert mine.inbox == none.inbox == []
    assert await scene.a.quiet() == []


async def test_a_banned_party_is_told_4403(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    await ban(site.models, scene.people.anna)
    assert await (await site.relay(scene.people.anna, scene.call_id)).closed() == 4403


async def test_a_call_that_has_ended_says_so_and_closes(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    await scene.end()
    again = await site.relay(scene.people.ben, scene.call_id)
    assert await again.receive("call:end") == {
        "type": "call:end", "reason": "hung_up", "connectedSeconds": 0,
    }  # fmt: skip
    assert await again.closed() == 1000


@PLACES
async def test_hanging_up_ends_it_for_both_and_closes(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    far = await places(make_site, site, processes)
    scene = await in_call(site, person, far)
    scene.b.send("call:end")
    for socket in (scene.a, scene.b):
        assert (await socket.receive("call:end"))["reason"] == "hung_up"
        assert await socket.closed() == 1000
    assert await rows(site.models, "select * from live_seats") == []


@PLACES
async def test_the_clock_is_told_to_both(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    far = await places(make_site, site, processes)
    scene = await in_call(site, person, far, connected=False)
    everywhere = [site, far] if far else [site]
    freeze(*everywhere)
    await scene.connect()
    advance(10, *everywhere)
    scene.b.send("rtc:disconnected")
    for socket in (scene.a, scene.b):
        told = await socket.receive("call:clock")
        assert (told["state"], told["remainingMs"]) == ("paused", 290_000)
        assert told["serverNow"] == site.models.clock.now_ms()
    advance(5, *everywhere)
    scene.b.send("rtc:connected")
    for socket in (scene.a, scene.b):
        told = await socket.receive("call:clock")
        assert (told["state"], told["remainingMs"]) == ("running", 290_000)
    # A report that changes nothing is answered, and only to who reports.
    scene.b.send("rtc:connected")
    await scene.b.receive("call:clock", state="running")
    assert await scene.a.quiet() == []


async def test_a_lost_seat_does_not_pause_and_is_told(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, connected=False)
    freeze(site)
    await scene.connect()
    scene.b.close()
    await scene.a.receive("peer:left")
    advance(29, site)
    await rounds(site)
    back = await site.relay(scene.people.ben, scene.call_id)
    state = await back.receive("call:state")
    assert (state["state"], state["remainingMs"]) == ("running", 271_000)
    await scene.a.receive("peer:joined")
    advance(60, site)
    await rounds(site)
    assert "call:end" not in await scene.a.quiet()


async def test_who_waits_sees_until_when(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, connected=False)
    freeze(site)
    await scene.connect()
    scene.b.close()
    await scene.a.receive("peer:left")
    newer = await site.relay(scene.people.anna, scene.call_id)
    state = await newer.receive("call:state")
    by = (
        await rows(site.models, "select callee_back_by = %s::timestamptz from calls", state["reconnectBy"])
    )[0][0]
    assert (by, state["peerHere"]) == (True, False)
    advance(30, site)
    await rounds(site)
    assert (await newer.receive("call:end"))["reason"] == "dropped"


async def test_a_goodbye_of_a_server_costs_nobody_the_call(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene: InCall = await in_call(site, person, far)
    await goodbye(far)
    assert await scene.b.closed() == 1001
    await scene.a.receive("peer:left")
    back = await site.relay(scene.people.ben, scene.call_id)
    assert (await back.receive("call:state"))["state"] == "running"
    scene.a.send_raw(PASSED[0])
    assert await raw(back) == PASSED[0]


async def test_a_crash_starts_a_grace_and_the_call_goes_on(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene = await in_call(site, person, far)
    freeze(site, far)
    await crash(far)
    await rounds(site)
    await scene.a.receive("peer:left")
    advance(29, site)
    back = await site.relay(scene.people.ben, scene.call_id)
    assert (await back.receive("call:state"))["state"] == "running"
    scene.a.send_raw(PASSED[0])
    assert await raw(back) == PASSED[0]


async def test_a_server_that_starts_gives_open_graces_their_time_again(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    scene = await in_call(site, person)
    freeze(site)
    scene.b.close()
    await scene.a.receive("peer:left")
    await rows(site.models, "update calls set callee_back_by = clock_timestamp() - interval '1 hour'")
    later = await make_site()
    await rounds(later)
    assert await rows(later.models, "select state from calls") == [("connected",)]
    assert await rows(later.models, "select callee_back_by > clock_timestamp() from calls") == [(True,)]
