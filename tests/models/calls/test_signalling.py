"""Frames between two processes, or for an empty seat: at most 64, 64 KiB, twenty seconds, in order."""

from __future__ import annotations

from models.broadcasts import SeatReplaced
from models.calls.signalling import MOST_BYTES, MOST_FRAMES
from models.redis import keys
from models.wiring import Models
from tests.support.scenes import until

CALL = "11111111-1111-4111-8111-111111111111"


async def test_frames_for_an_empty_seat_wait_in_order(models: Models) -> None:
    frames = [b'{"type":"rtc:ice","n":%d}' % number for number in range(MOST_FRAMES + 1)]
    sent = [await models.signalling.send(CALL, "callee", frame) for frame in frames]
    assert sent == [True] * MOST_FRAMES + [False]
    assert await models.signalling.take(CALL, "callee", "s1") == frames[:-1]
    assert await models.signalling.take(CALL, "callee", "s1") == []


async def test_buffered_frames_are_for_one_side_only(models: Models) -> None:
    await models.signalling.send(CALL, "callee", b'{"a":1}')
    assert await models.signalling.take(CALL, "caller", "s") == []
    other = CALL.replace("1", "2")
    assert await models.signalling.take(other, "callee", "s") == []
    assert await models.signalling.take(CALL, "callee", "s") == [b'{"a":1}']


async def test_the_buffered_bytes_are_limited(models: Models) -> None:
    half = b"x" * (MOST_BYTES // 2)
    assert await models.signalling.send(CALL, "caller", half)
    assert not await models.signalling.send(CALL, "caller", half + b"x")
    assert await models.signalling.send(CALL, "caller", half)
    assert not await models.signalling.send(CALL, "caller", b"x")


async def test_buffered_frames_expire(models: Models) -> None:
    await models.signalling.send(CALL, "caller", b"{}")
    left = await models.bus.command("pttl", keys.parked(CALL, "caller"))
    assert 19_000 < left <= keys.PARKED_SECONDS * 1000


async def test_only_its_own_socket_empties_a_seat(models: Models) -> None:
    await models.signalling.take(CALL, "caller", "old")
    await models.signalling.take(CALL, "caller", "new")
    await models.signalling.leave(CALL, "caller", "old")
    assert await models.bus.command("get", keys.seat(CALL, "caller")) == b"new"
    await models.signalling.leave(CALL, "caller", "new")
    assert await models.bus.command("get", keys.seat(CALL, "caller")) is None


async def test_a_frame_for_a_taken_seat_is_published_unchanged(models: Models) -> None:
    heard: list[object] = []
    await models.bus.open(keys.CHANNEL_ALL, lambda _channel, _news: None)
    await models.bus.subscriber.subscribe(keys.call_channel(CALL), lambda _channel, news: heard.append(news))
    await models.signalling.take(CALL, "callee", "s")
    assert heard.pop() == SeatReplaced(side="callee", seat="s")
    frame = '{"type" : "rtc:offer","sdp":"é😀\\u00e9"}'.encode()
    assert await models.signalling.send(CALL, "callee", frame)
    await until(lambda: heard)
    assert heard == [b'{"type":"tell","side":"callee","frame":' + frame + b"}"]
    assert await models.bus.command("exists", keys.parked(CALL, "callee")) == 0
