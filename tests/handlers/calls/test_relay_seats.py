"""Seats of a call: taken, replaced, lost and taken again, through restarts and crashes of servers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from handlers.realtime.close_codes import REPLACED, TRY_AGAIN
from models.calls.call import Call
from models.calls.rows import CallRows
from models.calls.snapshot import Snapshot
from models.calls.state import Side
from models.errors import Unavailable
from models.redis import keys
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import (
    InCall,
    Raw,
    advance,
    crash,
    freeze,
    goodbye,
    in_call,
    next_frame,
    places,
    rounds,
    rows,
    two,
    until,
)

OFFER = '{"type" : "rtc:offer",  "sdp":"as it is"}'


PLACES = pytest.mark.parametrize("processes", [1, 2])


@PLACES
async def test_a_newer_tab_takes_the_seat(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    scene = await in_call(site, person)
    other = await places(make_site, processes)
    newer = await (other or site).relay(scene.people.anna, scene.call_id)
    assert await scene.a.closed() == 4409
    assert (await newer.receive("call:state"))["state"] == "running"
    scene.b.send_raw(OFFER)
    assert json.loads(await next_frame(newer)) == json.loads(OFFER)
    # The closing of the older socket changes nothing: no grace period, no event for the peer.
    assert "peer:left" not in await scene.b.quiet()
    seats = await rows(site.models, "select caller_seat is not null, caller_back_by from calls")
    assert seats == [(True, None)]


@PLACES
async def test_a_seat_has_its_peer_only_while_that_is_in_this_process(
    make_site: MakeSite, site: Running, person: MakePerson, processes: int
) -> None:
    scene = await in_call(site, person)
    seats = site.site.hub.seats[scene.call_id]
    first, ben = seats["caller"], seats["callee"]
    assert (first.peer, ben.peer) == (ben, first)
    other = await places(make_site, processes)
    newer = await (other or site).relay(scene.people.anna, scene.call_id)
    await newer.receive("call:state")
    assert ben.peer is (seats["caller"] if other is None else None)
    assert ben.peer is not first
    scene.b.close()
    await newer.receive("peer:left")
    assert [seat.peer for seat in seats.values()] == ([None] if other is None else [])
    assert (first.peer, ben.peer) == (None, None)


async def test_frames_of_a_replaced_tab_are_ignored(site: Running, person: MakePerson) -> None:
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


async def test_both_sides_may_open_at_the_same_time(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    call_id = await pair.call()
    for _ in range(10):
        a, b = await asyncio.gather(site.relay(pair.anna, call_id), site.relay(pair.ben, call_id))
        await asyncio.gather(a.receive("call:state"), b.receive("call:state"))


async def test_a_socket_that_closes_while_it_opens_frees_its_seat(site: Running, person: MakePerson) -> None:
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
    await until(lambda: _caller_seat(site))
    await until(lambda: not site.site.hub.seats[call_id].get("caller"))


async def _caller_seat(site: Running) -> bool:
    found = await rows(site.models, "select caller_seat from calls")
    return found == [(None,)] and not await site.models.bus.command("keys", "ns:seat:*:caller")


async def test_a_lost_seat_does_not_pause_and_the_peer_is_notified(site: Running, person: MakePerson) -> None:
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


async def test_the_waiting_side_gets_the_end_of_the_grace_period(site: Running, person: MakePerson) -> None:
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


async def test_the_shutdown_of_a_server_ends_no_call(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    scene: InCall = await in_call(site, person, far)
    await goodbye(far)
    assert await scene.b.closed() == 1001
    await scene.a.receive("peer:left")
    back = await site.relay(scene.people.ben, scene.call_id)
    assert (await back.receive("call:state"))["state"] == "running"
    scene.a.send_raw(OFFER)
    assert await next_frame(back) == OFFER


async def test_a_crash_starts_a_grace_period_and_the_call_continues(
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
    scene.a.send_raw(OFFER)
    assert await next_frame(back) == OFFER


async def test_a_server_restarts_open_grace_periods_when_it_starts(
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


@pytest.mark.parametrize("older_is_last", [False, True])
async def test_a_newer_tab_keeps_its_seat_when_an_older_one_is_still_opening(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch, older_is_last: bool
) -> None:
    """As after a change of networks during a first handshake: both take the seat, in either order."""
    pair = await two(site, person)
    call_id = await pair.call()
    calls = site.models.calls
    take_seat = calls.take_seat
    asked: list[str] = []
    older_may, newer_may = asyncio.Event(), asyncio.Event()

    async def take_late(call_id: str, side: Side, socket_id: str) -> tuple[Call, Snapshot | None]:
        asked.append(socket_id)
        await (older_may if len(asked) == 1 else newer_may).wait()
        return await take_seat(call_id, side, socket_id)

    monkeypatch.setattr(calls, "take_seat", take_late)
    older = asyncio.create_task(site.relay(pair.anna, call_id))
    await until(lambda: asked)
    newer = await site.relay(pair.anna, call_id)
    await until(lambda: len(asked) == 2)
    if older_is_last:
        newer_may.set()
        await newer.receive("call:state")
    older_may.set()
    assert await (await older).closed() == REPLACED
    if not older_is_last:
        await until(lambda: not site.site.hub._work)
        newer_may.set()
    await newer.receive("call:state")
    seat = f"{site.models.bus.process_id}/{asked[1]}"
    await until(lambda: _seats(site, (seat,)))
    newer.send("ping")
    await newer.receive("pong")


async def _seats(site: Running, seats: tuple[str, ...]) -> bool:
    return await rows(site.models, "select caller_seat from calls") == [seats]


@pytest.fixture
def unreadable(site: Running, monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """While it holds errors, the reads of what a seat is shown fail with them."""
    errors: list[Exception] = []
    advance_row = CallRows.advance
    read = CallRows.snapshot

    async def failing_advance(*args: Any, **options: Any) -> Any:
        if errors and args[3] is not None:
            raise errors.pop()
        return await advance_row(*args, **options)

    async def failing_read(*args: Any) -> Any:
        if errors:
            raise errors.pop()
        return await read(*args)

    monkeypatch.setattr(CallRows, "advance", failing_advance)
    monkeypatch.setattr(CallRows, "snapshot", failing_read)
    return errors


async def test_waiting_frames_are_not_lost_by_a_socket_that_could_not_open(
    site: Running, person: MakePerson, unreadable: list[Exception]
) -> None:
    scene = await in_call(site, person)
    scene.a.close()
    await scene.b.receive("peer:left")
    scene.b.send_raw(OFFER)
    scene.b.send("ping")
    await scene.b.receive("pong")
    unreadable.append(Unavailable())
    failed = await site.relay(scene.people.anna, scene.call_id)
    assert await failed.closed() == TRY_AGAIN
    back = await site.relay(scene.people.anna, scene.call_id)
    await back.receive("call:state")
    assert await next_frame(back) == OFFER


async def test_waiting_frames_are_not_lost_by_a_reload_that_failed(
    site: Running, person: MakePerson, unreadable: list[Exception]
) -> None:
    """As after Redis was emptied: the seat is taken for empty until it is taken again."""
    scene = await in_call(site, person)
    await site.models.bus.command("del", keys.seat(scene.call_id, "caller"))
    assert await site.models.signalling.send(scene.call_id, "caller", OFFER.encode())
    unreadable.append(Unavailable())
    site.models.bus.reload_everyone()
    await scene.a.receive("call:state")
    assert await next_frame(scene.a) == OFFER
    assert not unreadable
