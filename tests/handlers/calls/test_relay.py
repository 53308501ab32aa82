"""The relay: frames pass unchanged and in order, or wait for an empty seat; a seat has one socket."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import advance, ban, freeze, in_call, next_frame, places, rows, two, until

PASSED = [
    '{"type":"rtc:offer","sdp":"v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\n"}',
    '{"type" : "rtc:offer",  "sdp":"spaces  stay",\t"attempt": 3}',
    '{"type":"rtc:answer","sdp":"\\u00e9\\ud83d\\ude00 é 😀","attempt":1}',
    '{"type":"rtc:ice","candidate":{"candidate":"","sdpMid":null,"x":[1e3,1.50,-0]}}',
    '{"type":"rtc:ice","candidates":[],"candidates":[1],"unknown":{"type":"call:end"}}',
    '{"attempt":9,"sdp":"type comes last","type":"rtc:offer"}',
]


PLACES = pytest.mark.parametrize("processes", [1, 2])


@PLACES
async def test_frames_pass_unchanged_and_in_order(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    scene = await in_call(site, person, await places(make_site, processes), connected=False)
    many = PASSED + [json.dumps({"type": "rtc:ice", "candidate": number}) for number in range(100)]
    for frame in many:
        scene.a.send_raw(frame)
    assert [await next_frame(scene.b) for _ in many] == many
    scene.b.send_raw(PASSED[2])
    assert await next_frame(scene.a) == PASSED[2]


async def test_frames_are_not_returned_to_the_sender(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, connected=False)
    scene.a.send("rtc:offer", sdp="x", id="1")
    await scene.b.receive("rtc:offer")
    assert await scene.a.quiet() == []


async def test_the_complete_state_is_sent_on_open(site: Running, person: MakePerson) -> None:
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
async def test_frames_for_an_empty_seat_wait_and_are_delivered_in_order(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    far = await places(make_site, processes)
    pair = await two(site, person, far)
    call_id = await pair.call()
    a = await site.relay(pair.anna, call_id)
    frames = [json.dumps({"type": "rtc:ice", "candidate": number}) for number in range(70)]
    for frame in frames:
        a.send_raw(frame)
    await a.quiet()
    b = await (far or site).relay(pair.ben, call_id)
    assert json.loads(await next_frame(b))["type"] == "call:state"
    assert [await next_frame(b) for _ in range(64)] == frames[:64]
    assert await b.quiet() == []
    a.send_raw(PASSED[1])
    assert await next_frame(b) == PASSED[1]


async def test_at_most_64_kib_wait(site: Running, person: MakePerson) -> None:
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
    assert [await next_frame(b) for _ in range(3)] == [big[0], big[1], small]
    assert await b.quiet() == []


async def test_waiting_frames_expire_after_twenty_seconds(site: Running, person: MakePerson) -> None:
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


async def test_media_state_is_sent_to_the_peer_only(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person, connected=False)
    scene.a.send("media:state", audio=True, video=False)
    assert await scene.b.receive("media:state") == {"type": "media:state", "audio": True, "video": False}
    scene.a.send("media:state", audio=True, video=False, camera=True, wantsVideo=False)
    told = {"type": "media:state", "audio": True, "video": False, "camera": True, "wantsVideo": False}
    assert await scene.b.receive("media:state", camera=True) == told
    assert await scene.a.quiet() == []


@pytest.mark.parametrize(
    "call_id", ["x", "0", str(uuid.UUID(int=0)), "0B9C1F64-7A0E-4D53-9B1F-3F2F6F1C8A27", "a" * 64]
)
async def test_an_unknown_call_is_closed_with_4404(site: Running, person: MakePerson, call_id: str) -> None:
    anna = await person()
    assert await (await site.relay(anna, call_id)).closed() == 4404


async def test_other_users_are_closed_with_4404(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    cleo = await person("Cleo")
    mine, none = await site.relay(cleo, scene.call_id), await site.relay(cleo, str(uuid.uuid4()))
    assert await mine.closed() == await none.closed() == 4404
    assert mine.connection.close_reason == none.connection.close_reason
    assert mine.inbox == none.inbox == []
    assert await scene.a.quiet() == []


async def test_a_banned_user_is_closed_with_4403(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    await ban(site.models, scene.people.anna)
    assert await (await site.relay(scene.people.anna, scene.call_id)).closed() == 4403


async def test_an_ended_call_sends_its_end_and_closes(site: Running, person: MakePerson) -> None:
    scene = await in_call(site, person)
    await scene.end()
    again = await site.relay(scene.people.ben, scene.call_id)
    assert await again.receive("call:end") == {
        "type": "call:end", "reason": "hung_up", "connectedSeconds": 0,
    }  # fmt: skip
    assert await again.closed() == 1000


@PLACES
async def test_hanging_up_ends_the_call_for_both_and_closes(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    far = await places(make_site, processes)
    scene = await in_call(site, person, far)
    scene.b.send("call:end")
    for socket in (scene.a, scene.b):
        assert (await socket.receive("call:end"))["reason"] == "hung_up"
        assert await socket.closed() == 1000
    assert await rows(site.models, "select * from live_seats") == []


@PLACES
async def test_the_clock_is_sent_to_both(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    far = await places(make_site, processes)
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
    # A report that changes nothing is answered to its sender only.
    scene.b.send("rtc:connected")
    await scene.b.receive("call:clock", state="running")
    assert await scene.a.quiet() == []
