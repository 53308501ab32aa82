"""Blocks: at once, both ways, and looking like somebody who went offline."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Invalid
from models.ids import new_id
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import freeze, in_call, rows, two


async def test_a_block_is_one_row_however_often(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    await asyncio.gather(*(models.blocks.block(anna.user_id, ben.user_id) for _ in range(5)))
    assert await models.blocks.blocked_among(anna.user_id, [ben.user_id]) == {ben.user_id}
    assert await models.blocks.blocked_among(ben.user_id, [anna.user_id]) == frozenset()


async def test_nobody_can_be_blocked_alike(models: Models, person: MakePerson) -> None:
    anna = await person("Anna")
    await models.blocks.block(anna.user_id, new_id())
    assert await rows(models, "select count(*) from blocks") == [(0,)]


@pytest.mark.parametrize("odd", ["", "someone", "../etc"])
async def test_what_is_no_id_is_refused(models: Models, person: MakePerson, odd: str) -> None:
    anna = await person("Anna")
    with pytest.raises(Invalid):
        await models.blocks.block(anna.user_id, odd)


async def test_oneself_is_refused(models: Models, person: MakePerson) -> None:
    anna = await person("Anna")
    with pytest.raises(Invalid):
        await models.blocks.block(anna.user_id, anna.user_id)


async def test_each_leaves_the_others_screen_and_queue(site: Running, person: MakePerson) -> None:
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


async def test_a_page_that_was_on_its_way_is_put_right(site: Running, person: MakePerson) -> None:
    """Read before the block, delivered after it."""
    pair = await two(site, person)
    feed = site.site.hub.feed
    feed.hide(pair.ben.user_id, pair.anna.user_id)
    await site.client.get("/room/queue", token=pair.ben.token)
    await feed.tick(with_count=False)
    await pair.b.receive("queue:update", left=[pair.anna.user_id])


async def test_a_ring_ends_as_if_whoever_blocks_had_declined_it(site: Running, person: MakePerson) -> None:
    """`gone` would tell: it comes to no caller whose socket is open, but for a ban."""
    pair = await two(site, person)
    invite_id = await pair.ring()
    await site.models.blocks.block(pair.ben.user_id, pair.anna.user_id)
    assert await pair.a.receive("call:declined") == {
        "type": "call:declined", "inviteId": invite_id, "reason": "declined",
    }  # fmt: skip
    assert (await pair.b.receive("call:answered"))["outcome"] == "declined"
    pair.a.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=300, id="again")
    assert (await pair.a.receive("call:declined", id="again"))["reason"] == "offline"


async def test_a_ring_ends_as_if_the_caller_who_blocks_had_cancelled_it(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    await pair.ring()
    await site.models.blocks.block(pair.anna.user_id, pair.ben.user_id)
    for socket in (pair.a, pair.b):
        assert (await socket.receive("call:cancelled"))["reason"] == "cancelled"


async def test_another_ring_goes_on(site: Running, person: MakePerson) -> None:
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


async def test_a_call_that_began_in_the_same_instant_ends_by_the_sweep(
    site: Running, person: MakePerson
) -> None:
    freeze(site)
    scene = await in_call(site, person)
    sql = "insert into blocks (blocker_id, blocked_id, created_at) values (%s, %s, %s)"
    anna, ben = scene.people.anna.user_id, scene.people.ben.user_id
    await rows(site.models, sql, anna, ben, site.models.clock.now())
    await site.models.sweep.once()
    assert (await scene.b.receive("call:end"))["reason"] == "hung_up"


async def test_taken_back_they_may_meet_again(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    await site.models.blocks.block(pair.anna.user_id, pair.ben.user_id)
    await site.models.blocks.unblock(pair.ben.user_id, pair.anna.user_id)
    assert (await site.client.get("/room/queue", token=pair.ben.token)).json["users"] == []
    await site.models.blocks.unblock(pair.anna.user_id, pair.ben.user_id)
    users = (await site.client.get("/room/queue", token=pair.ben.token)).json["users"]
    assert [user["userId"] for user in users] == [pair.anna.user_id]
