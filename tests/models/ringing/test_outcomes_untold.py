"""Outcomes that could not be published: local sockets are notified at once, the others soon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from models.redis import keys
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.clients import Socket
from tests.support.scenes import Two, advance, freeze, is_listed, rounds, two

COMMANDS = {
    "accept": ("call:start", "call:start"),
    "decline": ("call:declined", "call:answered"),
    "cancel": ("call:cancelled", "call:cancelled"),
}


@asynccontextmanager
async def no_scripts(site: Running) -> AsyncIterator[None]:
    """Scripts fail in Redis: rings cannot be released; everything else works."""
    await site.models.bus.command("acl", "setuser", "default", "-evalsha", "-eval")
    yield
    await site.models.bus.command("acl", "setuser", "default", "+@all")


async def decide(pair: Two, command: str, invite_id: str) -> None:
    socket = pair.a if command == "cancel" else pair.b
    fields = {"requestedSeconds": 300} if command == "accept" else {}
    socket.send(f"call:{command}", inviteId=invite_id, id="it", **fields)
    await socket.receive(*COMMANDS[command], id="it")


@pytest.mark.parametrize("is_far", [False, True])
@pytest.mark.parametrize("command", COMMANDS)
async def test_both_are_notified_when_redis_cannot_release_the_ring(
    make_site: MakeSite, site: Running, person: MakePerson, command: str, *, is_far: bool
) -> None:
    far = await make_site() if is_far else site
    pair = await two(site, person, far)
    freeze(site, far)
    invite_id = await pair.ring()
    async with no_scripts(site):
        await decide(pair, command, invite_id)
        await heard(pair, command)
    for one in (site, far):
        await rounds(one, 1)
    await is_over(site, pair, invite_id, command)


async def heard(pair: Two, command: str) -> None:
    """Waits for the event of the side that did not send the command."""
    socket: Socket = pair.b if command == "cancel" else pair.a
    await socket.receive(COMMANDS[command][command == "cancel"])


async def is_over(site: Running, pair: Two, invite_id: str, command: str) -> None:
    """Checks that the ring is gone and both users are in the call or free."""
    assert not await site.models.bus.command("exists", keys.invite(invite_id))
    for one in (pair.anna, pair.ben):
        busy = await site.models.bus.command("get", keys.busy(one.user_id)) or b""
        assert busy.startswith(b"call:") == (command == "accept")
        assert await is_listed(site, one) == (command != "accept")


@pytest.mark.parametrize("command", COMMANDS)
async def test_another_process_publishes_what_a_dead_process_decided(
    make_site: MakeSite, site: Running, person: MakePerson, command: str
) -> None:
    """Within the five seconds of the protocol, before the ring would have expired."""
    far = await make_site()
    pair = await two(site, person)
    freeze(site, far)
    invite_id = await pair.ring()
    outcomes, ids = far.models.outcomes, (pair.anna.user_id, pair.ben.user_id)
    if command == "accept":
        assert (await outcomes.accept(far.models.calls.new(invite_id, *ids, 300)))[0] == "accepted"
    else:
        outcome = "declined" if command == "decline" else "cancelled"
        assert await outcomes.decide(invite_id, *ids, outcome)  # type: ignore[arg-type]
    tab = await site.socket("/ws/invites", pair.ben.token)
    assert (await tab.receive("state"))["invite"] is None
    advance(0.5, site)
    await rounds(site, 1)
    told = set(await pair.a.quiet()) | set(await pair.b.quiet())
    assert not told & {"call:start", "call:declined", "call:cancelled", "call:answered"}
    advance(1.5, site)
    await rounds(site, 1)
    for socket, type in zip((pair.a, pair.b), COMMANDS[command], strict=True):
        await socket.receive(type)
    await rounds(site, 2)
    assert not set(await pair.a.quiet()) & set(COMMANDS[command])
    await is_over(site, pair, invite_id, command)
