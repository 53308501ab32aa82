"""Presence: who is online, listed and away; and how a lost Redis or a dead process heals by itself."""

from __future__ import annotations

import asyncio
import logging

import pytest

from models import keys
from tests.clients import Socket
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.stage import advance, crash, freeze, goodbye, in_call, rounds, rows, two, until


async def is_listed(site: Running, person: Person) -> bool:
    return await site.models.bus.command("zscore", keys.QUEUE, person.user_id) is not None


async def closed(site: Running, socket: Socket, person: Person) -> None:
    """The server has noticed."""
    count = await site.models.bus.command("hlen", keys.sockets(person.user_id))
    socket.close()
    await until(lambda: person.user_id not in site.site.hub.invite_sockets)
    await until(lambda: _has_let_go(site, person, count))


async def _has_let_go(site: Running, person: Person, before: int) -> bool:
    flat = await site.models.bus.command("hkeys", keys.sockets(person.user_id))
    return len([name for name in flat if name != b"linger"]) < before


async def test_one_is_listed_once_joined_and_online_before(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    socket = await site.invites(anna, join=False)
    state = await socket.receive("state")
    assert (state["available"], state["access"], state["call"], state["invite"]) == (
        False,
        "comped",
        None,
        None,
    )
    assert await site.models.presence.online_users() == 1
    assert not await is_listed(site, anna)
    socket.send("queue:join", id="1")
    assert await socket.receive("queue:state") == {"type": "queue:state", "available": True, "id": "1"}
    assert await is_listed(site, anna)
    socket.send("queue:leave", id="2")
    assert await socket.receive("queue:state") == {"type": "queue:state", "available": False, "id": "2"}
    assert not await is_listed(site, anna)


async def test_leaving_one_tab_leaves_the_others(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    anna = await person("Anna")
    one, other = await site.invites(anna), await far.invites(anna)
    one.send("queue:leave", id="bye")
    assert (await one.receive("queue:state", id="bye"))["available"]
    other.send("queue:leave", id="bye")
    assert not (await other.receive("queue:state", id="bye"))["available"]


async def test_without_a_socket_one_is_away_after_ten_seconds(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    freeze(site)
    await closed(site, await site.invites(anna), anna)
    assert await site.models.presence.online_users() == 0
    advance(9.9, site)
    await rounds(site)
    assert await is_listed(site, anna)
    advance(0.1, site)
    await rounds(site)
    assert not await is_listed(site, anna)


async def test_a_reload_keeps_ones_place(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    freeze(site)
    await closed(site, await site.invites(anna), anna)
    advance(5, site)
    await site.invites(anna)
    advance(60, site)
    await rounds(site)
    assert await is_listed(site, anna)


@pytest.mark.parametrize(("notifications", "stays"), [(False, False), (True, True)])
async def test_a_hidden_tab_is_away_after_fifteen_seconds_unless_it_may_notify(
    site: Running, person: MakePerson, notifications: bool, stays: bool
) -> None:
    anna = await person("Anna")
    freeze(site)
    socket = await site.invites(anna)
    socket.send("queue:hidden", hidden=True, notifications=notifications)
    await socket.quiet()
    advance(14.9, site)
    await rounds(site)
    assert await is_listed(site, anna)
    advance(0.1, site)
    await rounds(site)
    assert await is_listed(site, anna) is stays
    socket.send("queue:hidden", hidden=False)
    await socket.quiet()
    assert await is_listed(site, anna)


async def test_one_visible_tab_is_enough(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    freeze(site)
    hidden, _ = await site.invites(anna), await site.invites(anna)
    hidden.send("queue:hidden", hidden=True)
    await hidden.quiet()
    advance(60, site)
    await rounds(site)
    assert await is_listed(site, anna)


async def test_the_unpaid_get_state_but_are_not_online_and_cannot_join(
    site: Running, person: MakePerson
) -> None:
    anna = await person("Anna", access=None)
    socket = await site.invites(anna, join=False)
    assert (await socket.receive("state"))["access"] == "unpaid"
    assert await site.models.presence.online_users() == 0
    socket.send("queue:join", id="j")
    assert (await socket.receive("error", id="j"))["code"] == "payment_required"
    assert not await is_listed(site, anna)


async def test_without_a_selfie_nobody_joins(site: Running, person: MakePerson) -> None:
    anna = await person("Anna", selfie=False)
    socket = await site.invites(anna, join=False)
    socket.send("queue:join", id="j")
    assert (await socket.receive("error", id="j"))["code"] == "selfie_required"
    assert not await is_listed(site, anna)


async def test_access_gained_and_lost_is_told_and_followed(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    anna = await person("Anna", access=None)
    sockets = [await site.invites(anna, join=False), await far.invites(anna, join=False)]
    await site.models.access.grant(anna.user_id, "code", "a friend")
    for socket in sockets:
        assert await socket.receive("access:changed") == {"type": "access:changed", "access": "invited"}
    await until(lambda: _online(site, 1))
    sockets[1].send("queue:join", id="j")
    assert (await sockets[1].receive("queue:state"))["available"]
    site.models.bus.publish(keys.CHANNEL_ALL, b"reload")
    await sockets[0].receive("state", access="unpaid")
    assert (await sockets[0].receive("state"))["access"] == "invited"
    await site.models.access.take_away("code", "a friend", "a test")
    for socket in sockets:
        await socket.receive("access:changed", access="unpaid")
    await until(lambda: _online(site, 0))
    assert not await is_listed(site, anna)


async def _online(site: Running, number: int) -> bool:
    return await site.models.presence.online_users() == number


async def test_an_emptied_redis_heals(make_site: MakeSite, site: Running, person: MakePerson) -> None:
    far = await make_site()
    scene = await in_call(site, person, far)
    cleo, dana = await person("Cleo"), await person("Dana")
    socket = await site.invites(cleo)
    await far.invites(dana, join=False)
    await socket.receive("state")
    await site.models.bus.command("flushall")
    for one in (site, far):
        await rounds(one)
    assert (await socket.receive("state"))["available"]
    await until(lambda: _online(site, 4))
    assert await is_listed(site, cleo)
    assert not await is_listed(site, dana)
    # Who is in a call is busy again, and the relay goes on across the two processes.
    assert not await is_listed(site, scene.people.anna)
    socket.send("call:invite", toUserId=scene.people.ben.user_id, requestedSeconds=300, id="i")
    assert (await socket.receive("call:declined", id="i"))["reason"] == "busy"
    await until(lambda: _seats(site, scene.call_id, 2))
    scene.a.send("rtc:offer", sdp="after")
    assert (await scene.b.receive("rtc:offer"))["sdp"] == "after"


async def _seats(site: Running, call_id: str, number: int) -> bool:
    return len(await site.models.bus.command("keys", f"ns:seat:{call_id}:*")) == number


async def test_a_dead_process_heals(
    make_site: MakeSite, site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    far = await make_site()
    anna, ben = await person("Anna"), await person("Ben")
    freeze(site, far)
    await site.invites(anna)
    await far.invites(ben)
    await rounds(site)
    await rounds(far)
    await crash(far)
    advance(5.9, site)
    await rounds(site)
    assert await is_listed(site, ben)
    advance(0.1, site)
    await rounds(site)
    # Noticed; what is left of the ten seconds is his.
    assert await site.models.presence.online_users() == 1
    assert await is_listed(site, ben)
    advance(3, site)
    await rounds(site)
    assert not await is_listed(site, ben)
    assert await is_listed(site, anna)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert await rows(site.models, "select count(*) from processes") == [(1,)]


async def test_a_process_taken_for_dead_comes_back(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    """It was only slow: its people are online again, and its seats are not lost to their calls."""
    far = await make_site()
    scene = await in_call(site, person, far)
    dana = await person("Dana")
    await far.invites(dana)
    freeze(site, far)
    slow = "update processes set seen_at = seen_at - interval '1 minute' where process_id = %s"
    await rows(site.models, slow, far.models.bus.process_id)
    advance(10, site, far)
    await rounds(site)
    await scene.a.receive("peer:left")
    assert await rows(site.models, "select callee_seat from calls") == [(None,)]
    await rounds(far)
    await scene.a.receive("peer:joined")
    advance(60, site, far)
    await rounds(site)
    await rounds(far)
    assert await rows(site.models, "select state, callee_seat is not null from calls") == [
        ("connected", True)
    ]
    assert await is_listed(site, dana)
    scene.a.send("rtc:offer", sdp="still here")
    await scene.b.receive("rtc:offer")


async def test_a_goodbye_keeps_peoples_places_for_ten_seconds(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    ben = await person("Ben")
    freeze(site, far)
    socket = await far.invites(ben)
    await goodbye(far)
    assert await socket.closed() == 1001
    advance(9, site)
    await rounds(site)
    assert await is_listed(site, ben)
    await site.invites(ben)
    advance(60, site)
    await rounds(site)
    assert await is_listed(site, ben)


async def test_a_business_that_nobody_ended_is_forgotten(site: Running, person: MakePerson) -> None:
    """A process died between the end of a call and telling Redis: a reconnect puts it right."""
    pair = await two(site, person)
    call_id = await pair.call()
    await rows(site.models, "delete from live_seats")
    state = await (await site.invites(pair.anna, join=False)).receive("state")
    assert (state["call"], call_id is not None) == (None, True)
    assert await site.models.bus.command("exists", keys.busy(pair.anna.user_id)) == 0
    assert await is_listed(site, pair.anna)


async def test_a_socket_that_joins_and_closes_at_once_leaves_nothing_behind(
    site: Running, person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await person("Anna")
    for _ in range(10):
        socket = await site.invites(anna, join=False)
        socket.send("queue:join")
        socket.close()
    hub = site.site.hub
    await until(lambda: anna.user_id not in hub.invite_sockets)
    await until(lambda: not hub._work)
    assert anna.user_id not in hub.feed._viewers
    assert not await site.models.bus.command("smembers", keys.ONLINE)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_many_sockets_at_once_are_all_counted(site: Running, person: MakePerson) -> None:
    people = [await person(f"P{number}") for number in range(12)]
    sockets = await asyncio.gather(*(site.invites(one) for one in people for _ in range(2)))
    assert await site.models.presence.online_users() == 12
    assert len(sockets) == 24
