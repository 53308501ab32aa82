"""Recovery of presence: an emptied Redis, a dead or slow process, a shutdown, stale busy marks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from models.redis import keys
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import (
    advance,
    are_online,
    crash,
    freeze,
    goodbye,
    in_call,
    is_listed,
    rounds,
    rows,
    silent,
    two,
    until,
)


async def test_presence_recovers_from_an_emptied_redis(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
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
    await until(lambda: are_online(site, 4))
    assert await is_listed(site, cleo)
    assert not await is_listed(site, dana)
    # Users in a call are busy again, and the relay works across the two processes.
    assert not await is_listed(site, scene.people.anna)
    socket.send("call:invite", toUserId=scene.people.ben.user_id, requestedSeconds=300, id="i")
    assert (await socket.receive("call:declined", id="i"))["reason"] == "busy"
    await until(lambda: _seats(site, scene.call_id, 2))
    scene.a.send("rtc:offer", sdp="after")
    assert (await scene.b.receive("rtc:offer"))["sdp"] == "after"


async def _seats(site: Running, call_id: str, number: int) -> bool:
    return len(await site.models.bus.command("keys", f"ns:seat:{call_id}:*")) == number


@pytest.mark.parametrize("lost", [(keys.sockets,), (keys.sockets, lambda _user_id: keys.ONLINE)])
async def test_a_socket_whose_key_is_gone_is_registered_again(
    site: Running, person: MakePerson, lost: tuple[Callable[[str], str], ...]
) -> None:
    """Its week is over, or a Redis that may evict keys has taken it."""
    pair = await two(site, person)
    bus, presence = site.models.bus, site.models.presence
    key, other = keys.sockets(pair.ben.user_id), keys.sockets(pair.anna.user_id)
    await bus.command("del", *(name(pair.ben.user_id) for name in lost))
    await bus.command("expire", other, 10)
    await presence.correct()
    assert await bus.command("hlen", key) == 1
    assert await bus.command("ttl", other) > 100_000
    assert await are_online(site, 2)
    await pair.ring()


async def test_presence_recovers_from_a_dead_process(
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
    # Noticed; he stays listed for the rest of the ten seconds.
    assert await site.models.presence.online_users() == 1
    assert await is_listed(site, ben)
    advance(3.4, site)
    await rounds(site)
    assert await is_listed(site, ben)
    advance(0.1, site)
    await rounds(site)
    assert not await is_listed(site, ben)
    assert await is_listed(site, anna)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert await rows(site.models, "select count(*) from processes") == [(1,)]


async def test_a_slow_process_that_was_considered_dead_recovers(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    """Its users are online again, and its seats still belong to their calls."""
    far = await make_site()
    scene = await in_call(site, person, far)
    dana = await person("Dana")
    await far.invites(dana)
    freeze(site, far)
    await silent(site.models, far.models.bus.process_id, 60)
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


async def test_a_shutdown_keeps_users_listed_for_ten_seconds(
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


async def test_a_stale_busy_mark_is_removed(site: Running, person: MakePerson) -> None:
    """A process died after a call ended and before it updated Redis: a reconnect corrects it."""
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
    viewers = hub.feed._viewers
    await until(
        lambda: not any(anna.user_id in one for one in (hub.invite_sockets, viewers)) and not hub._work
    )
    assert not await site.models.bus.command("smembers", keys.ONLINE)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_many_sockets_at_once_are_all_counted(site: Running, person: MakePerson) -> None:
    people = [await person(f"P{number}") for number in range(12)]
    sockets = await asyncio.gather(*(site.invites(one) for one in people for _ in range(2)))
    assert await site.models.presence.online_users() == 12
    assert len(sockets) == 24
