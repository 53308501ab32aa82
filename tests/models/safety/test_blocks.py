"""Blocks: at once, in both directions, and indistinguishable from going offline."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Invalid
from models.ids import new_id
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import block, freeze, in_call, rows, two


async def test_a_repeated_block_is_one_row(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await asyncio.gather(*(models.blocks.block(anna.user_id, ben.user_id) for _ in range(5)))
    assert await models.blocks.blocked_among(anna.user_id, [ben.user_id]) == {ben.user_id}
    assert await models.blocks.blocked_among(ben.user_id, [anna.user_id]) == frozenset()


async def test_unknown_users_can_be_blocked_with_the_same_answer(models: Models, person: MakePerson) -> None:
    anna = await person("Anna")
    await models.blocks.block(anna.user_id, new_id())
    assert await rows(models, "select count(*) from blocks") == [(0,)]


@pytest.mark.parametrize("odd", ["", "someone", "../etc"])
async def test_malformed_ids_are_rejected(models: Models, person: MakePerson, odd: str) -> None:
    anna = await person("Anna")
    with pytest.raises(Invalid):
        await models.blocks.block(anna.user_id, odd)


async def test_a_user_cannot_block_themselves(models: Models, person: MakePerson) -> None:
    anna = await person("Anna")
    with pytest.raises(Invalid):
        await models.blocks.block(anna.user_id, anna.user_id)


async def test_both_leave_each_others_screen_and_queue(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    carl = await person("Carl")
    c = await site.invites(carl)
    for one in (pair.anna, pair.ben, carl):
        await site.client.get("/room/queue", token=one.token)
    await site.models.blocks.block(pair.anna.user_id, pair.ben.user_id)
    await site.site.hub.feed.tick(with_count=False)
    await pair.b.receive("queue:update", left=[pair.anna.user_id])
    await pair.a.receive("queue:update", left=[pair.ben.user_id])
    await c.quiet()
    assert not any(message.get("left") for message in c.inbox)
    seen = {
        user["userId"] for user in (await site.client.get("/room/queue", token=pair.ben.token)).json["users"]
    }
    assert seen == {carl.user_id}


async def test_a_page_that_was_read_before_the_block_is_corrected(site: Running, person: MakePerson) -> None:
    """It is read before the block and delivered after it."""
    pair = await two(site, person)
    feed = site.site.hub.feed
    feed.hide(pair.ben.user_id, pair.anna.user_id)
    await site.client.get("/room/queue", token=pair.ben.token)
    await feed.tick(with_count=False)
    await pair.b.receive("queue:update", left=[pair.anna.user_id])


async def test_a_ring_ends_as_declined_if_the_callee_blocks(site: Running, person: MakePerson) -> None:
    """`gone` would reveal the block: a caller with an open socket gets it only for a ban."""
    pair = await two(site, person)
    invite_id = await pair.ring()
    await site.models.blocks.block(pair.ben.user_id, pair.anna.user_id)
    assert await pair.a.receive("call:declined") == {
        "type": "call:declined", "inviteId": invite_id, "reason": "declined",
    }  # fmt: skip
    assert (await pair.b.receive("call:answered"))["outcome"] == "declined"
    pair.a.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=300, id="again")
    assert (await pair.a.receive("call:declined", id="again"))["reason"] == "offline"


async def test_a_ring_ends_as_cancelled_if_the_caller_blocks(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    await pair.ring()
    await site.models.blocks.block(pair.anna.user_id, pair.ben.user_id)
    for socket in (pair.a, pair.b):
        assert (await socket.receive("call:cancelled"))["reason"] == "cancelled"


async def test_other_rings_continue(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    carl = await person("Carl")
    invite_id = await pair.ring()
    await site.models.blocks.block(pair.ben.user_id, carl.user_id)
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300)
    await pair.b.receive("call:start")


async def test_a_call_ends_as_hung_up_for_both(
    site: Running, person: MakePerson, make_site: MakeSite
) -> None:
    scene = await in_call(site, person, await make_site())
    await site.models.blocks.block(scene.people.anna.user_id, scene.people.ben.user_id)
    for socket in (scene.a, scene.b):
        assert (await socket.receive("call:end"))["reason"] == "hung_up"
        assert await socket.closed() == 1000


async def test_the_sweep_ends_a_call_that_started_during_the_block(site: Running, person: MakePerson) -> None:
    freeze(site)
    scene = await in_call(site, person)
    await block(site.models, scene.people.anna, scene.people.ben)
    await site.models.sweep.once()
    assert (await scene.b.receive("call:end"))["reason"] == "hung_up"


async def test_after_unblocking_they_see_each_other_again(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    await site.models.blocks.block(pair.anna.user_id, pair.ben.user_id)
    await site.models.blocks.unblock(pair.ben.user_id, pair.anna.user_id)
    assert (await site.client.get("/room/queue", token=pair.ben.token)).json["users"] == []
    await site.models.blocks.unblock(pair.anna.user_id, pair.ben.user_id)
    users = (await site.client.get("/room/queue", token=pair.ben.token)).json["users"]
    assert [user["userId"] for user in users] == [pair.anna.user_id]
