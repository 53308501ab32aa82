"""Limits of sockets per user and per address: one too many is closed with 4429, and a closed one makes
room.
"""

from __future__ import annotations

import pytest

from handlers.base import socket
from handlers.realtime.limits import SocketLimits
from models.errors import TooMany
from models.settings.config import Config
from models.settings.environment import read_config
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import Raw, in_call, until


def test_a_refused_socket_is_not_counted_and_a_closed_one_leaves_nothing() -> None:
    limits = SocketLimits(Config(sockets_per_person=2, sockets_per_address=3))
    limits.enter("a", "anna", "192.0.2.1")
    limits.enter("b", "anna", "192.0.2.2")
    with pytest.raises(TooMany):
        limits.enter("c", "anna", "192.0.2.3")
    limits.enter("d", "ben", "192.0.2.1")
    limits.enter("e", "", "192.0.2.1")
    with pytest.raises(TooMany):
        limits.enter("f", "", "192.0.2.1")
    for socket_id in ("a", "a", "b", "c", "d", "e", "f"):
        limits.leave(socket_id)
    assert (limits.open, limits._open) == (0, {})


async def test_a_users_sockets_of_both_kinds_count_together(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    own = await make_site(sockets_per_person=3, sockets_per_address=1000)
    scene = await in_call(own, person)
    anna, ben = scene.people.anna, scene.people.ben
    extra = await own.invites(anna)
    refused = await own.socket("/ws/invites", anna.token)
    assert await refused.closed() == 4429
    await own.invites(ben)
    extra.close()
    await until(lambda: own.site.hub.limits.open == 5)
    await own.invites(anna)
    assert set(await scene.b.quiet()) <= {"peer:joined", "call:clock"}


async def test_each_address_has_its_own_limit(make_site: MakeSite, site: Running, person: MakePerson) -> None:
    behind = {"trusted_proxies": read_config({"TRUSTED_PROXIES": "127.0.0.1,::1"}).trusted_proxies}
    own = await make_site(sockets_per_address=2, **behind)
    people = [await person(name) for name in ("Anna", "Ben", "Cleo")]
    places = [{"X-Forwarded-For": "192.0.2.7"}] * 3 + [{"X-Forwarded-For": "192.0.2.8"}]
    for who, place in zip(people[:2], places, strict=False):
        await (await own.socket("/ws/invites", who.token, **place)).receive("state")
    assert await (await own.socket("/ws/invites", people[2].token, **places[2])).closed() == 4429
    await (await own.socket("/ws/invites", people[2].token, **places[3])).receive("state")


async def test_a_half_open_socket_is_closed_after_two_pings(
    site: Running, person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 2 * socket.PING_SECONDS <= 60
    monkeypatch.setattr(socket, "PING_SECONDS", 0.2)
    anna, ben = await person("Anna"), await person("Ben")
    silent = await Raw.open(site, "/ws/invites", anna.token)
    await until(lambda: anna.user_id in site.site.hub.invite_sockets)
    alive = await site.invites(ben)
    await until(lambda: anna.user_id not in site.site.hub.invite_sockets, 2)
    assert site.site.hub.limits.open == 1
    assert await alive.quiet() is not None
    silent.close()
