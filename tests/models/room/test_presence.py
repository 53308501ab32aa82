"""Presence: online, listed and away; and recovery from a lost Redis or a dead process."""

from __future__ import annotations

import pytest

from models.redis import keys
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.clients import Socket
from tests.support.scenes import advance, are_online, freeze, is_listed, rounds, until


async def closed(site: Running, socket: Socket, person: Person) -> None:
    """Closes a socket and waits until the server has noticed."""
    count = await site.models.bus.command("hlen", keys.sockets(person.user_id))
    socket.close()
    await until(lambda: person.user_id not in site.site.hub.invite_sockets)
    await until(lambda: _has_let_go(site, person, count))


async def _has_let_go(site: Running, person: Person, before: int) -> bool:
    flat = await site.models.bus.command("hkeys", keys.sockets(person.user_id))
    return len([name for name in flat if name != b"linger"]) < before


async def test_a_user_is_online_with_a_socket_and_listed_once_joined(
    site: Running, person: MakePerson
) -> None:
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


async def test_a_user_without_a_socket_is_away_after_ten_seconds(site: Running, person: MakePerson) -> None:
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


async def test_a_reload_keeps_the_place_in_the_queue(site: Running, person: MakePerson) -> None:
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


async def test_users_without_a_selfie_cannot_join(site: Running, person: MakePerson) -> None:
    anna = await person("Anna", selfie=False)
    socket = await site.invites(anna, join=False)
    socket.send("queue:join", id="j")
    assert (await socket.receive("error", id="j"))["code"] == "selfie_required"
    assert not await is_listed(site, anna)


async def test_changes_of_access_are_published_and_applied(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    anna = await person("Anna", access=None)
    sockets = [await site.invites(anna, join=False), await far.invites(anna, join=False)]
    for socket in sockets:
        await socket.receive("state", access="unpaid")
    await site.models.grants.grant(anna.user_id, "code", "a friend")
    for socket in sockets:
        assert await socket.receive("access:changed") == {"type": "access:changed", "access": "invited"}
    await until(lambda: are_online(site, 1))
    sockets[1].send("queue:join", id="j")
    assert (await sockets[1].receive("queue:state"))["available"]
    site.models.bus.publish(keys.CHANNEL_ALL, b"reload")
    assert (await sockets[0].receive("state"))["access"] == "invited"
    await site.models.grants.take_away("code", "a friend", "a test")
    for socket in sockets:
        await socket.receive("access:changed", access="unpaid")
    await until(lambda: are_online(site, 0))
    assert not await is_listed(site, anna)
