"""Rings that end automatically: missed, gone, or decided by a process that died; and reconnects."""

from __future__ import annotations

import pytest

from models.ringing.rings import Due
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.scenes import advance, cooldown_seconds, crash, freeze, rounds, rows, two, until

HOUR = 3600


async def outcomes(site: Running) -> list[str]:
    return [row[0] for row in await rows(site.models, "select outcome from invite_outcomes")]


async def test_a_missed_ring_has_a_cooldown_of_an_hour(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    freeze(site)
    invite_id = await pair.ring()
    advance(19.9, site)
    await rounds(site)
    assert "call:cancelled" not in await pair.b.quiet()
    advance(0.1, site)
    await rounds(site)
    assert (await pair.a.receive("call:declined")) == {
        "type": "call:declined", "inviteId": invite_id, "reason": "missed",
    }  # fmt: skip
    assert (await pair.b.receive("call:cancelled"))["reason"] == "missed"
    assert await cooldown_seconds(site.models, pair.anna, pair.ben) == HOUR
    await rounds(site)
    assert await outcomes(site) == ["missed"]


async def test_a_ring_is_gone_when_its_caller_has_no_socket_for_five_seconds(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    freeze(site)
    invite_id = await pair.ring()
    pair.a.close()
    await until(lambda: pair.anna.user_id not in site.site.hub.invite_sockets)
    await until(lambda: site.models.bus.command("zscore", "ns:gone", invite_id))
    advance(4.9, site)
    await rounds(site)
    assert "call:cancelled" not in await pair.b.quiet()
    advance(0.1, site)
    await rounds(site)
    assert (await pair.b.receive("call:cancelled")) == {
        "type": "call:cancelled", "inviteId": invite_id, "reason": "gone",
    }  # fmt: skip
    assert await cooldown_seconds(site.models, pair.anna, pair.ben) == HOUR


async def test_a_caller_who_reconnects_in_time_gets_the_answer(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    freeze(site)
    invite_id = await pair.ring()
    pair.a.close()
    await until(lambda: site.models.bus.command("zscore", "ns:gone", invite_id))
    advance(4, site)
    back = await site.invites(pair.anna)
    assert (await back.receive("state"))["invite"]["inviteId"] == invite_id
    advance(10, site)
    await rounds(site)
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300)
    await pair.b.receive("call:start")
    await back.receive("call:start")


async def test_a_ring_continues_when_the_callee_loses_all_sockets(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    freeze(site)
    invite_id = await pair.ring()
    pair.b.close()
    await until(lambda: pair.ben.user_id not in site.site.hub.invite_sockets)
    advance(9, site)
    await rounds(site)
    back = await site.invites(pair.ben)
    assert (await back.receive("state"))["invite"]["direction"] == "in"
    back.send("call:accept", inviteId=invite_id, requestedSeconds=300)
    await back.receive("call:start")


async def test_a_ring_whose_process_died_is_ended_by_another(
    make_site: MakeSite, person: MakePerson, site: Running
) -> None:
    far = await make_site()
    pair = await two(site, person, far)
    freeze(site, far)
    invite_id = await pair.ring()
    advance(20, site, far)
    # This process takes the lease and dies.
    rings = site.models.rings
    assert await rings.due(site.models.clock.now_ms(), 5000) == [
        Due(invite_id, "missed", pair.anna.user_id, pair.ben.user_id)
    ]
    await far.models.outcomes.sweep()
    assert await outcomes(far) == []
    advance(5, site, far)
    await far.models.outcomes.sweep()
    assert await outcomes(far) == ["missed"]
    assert (await pair.a.receive("call:declined"))["reason"] == "missed"
    assert (await pair.b.receive("call:cancelled"))["reason"] == "missed"


@pytest.mark.parametrize("outcome", ["missed", "cancelled", "declined"])
async def test_the_sweep_publishes_outcomes_that_were_not_published(
    site: Running, person: MakePerson, outcome: str
) -> None:
    pair = await two(site, person)
    freeze(site)
    invite_id = await pair.ring()
    await site.models.outcomes.decide(invite_id, pair.anna.user_id, pair.ben.user_id, outcome)  # type: ignore[arg-type]
    advance(20, site)
    await rounds(site)
    if outcome == "cancelled":
        assert (await pair.a.receive("call:cancelled"))["reason"] == outcome
    else:
        assert (await pair.a.receive("call:declined"))["reason"] == outcome
    if outcome == "declined":
        assert (await pair.b.receive("call:answered"))["outcome"] == outcome
    else:
        assert (await pair.b.receive("call:cancelled"))["reason"] == outcome
    pair.a.send("queue:join", id="again")
    assert (await pair.a.receive("queue:state", id="again"))["available"]


async def test_a_reconnect_shows_the_ring_to_both_and_then_the_call(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring(120)
    mine = (await (await site.invites(pair.anna, join=False)).receive("state"))["invite"]
    theirs = (await (await site.invites(pair.ben, join=False)).receive("state"))["invite"]
    assert (mine["direction"], mine["person"]["name"]) == ("out", "Ben")
    assert (theirs["direction"], theirs["person"]["name"]) == ("in", "Anna")
    for shown in (mine, theirs):
        assert (shown["inviteId"], shown["requestedSeconds"]) == (invite_id, 120)
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="y")
    call_id = (await pair.b.receive("call:start", id="y"))["callId"]
    for who in (pair.anna, pair.ben):
        state = await (await site.invites(who, join=False)).receive("state")
        assert (state["invite"], state["call"], state["available"]) == (None, {"callId": call_id}, False)
    stranger = await site.invites(await person("Cleo"), join=False)
    state = await stranger.receive("state")
    assert (state["invite"], state["call"]) == (None, None)


async def test_a_ring_survives_the_death_of_the_callers_process(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    far = await make_site()
    pair = await two(far, person, site)
    freeze(site, far)
    invite_id = await pair.ring()
    await crash(far)
    advance(7, site)
    await rounds(site)
    back = await site.invites(pair.anna)
    assert (await back.receive("state"))["invite"]["inviteId"] == invite_id
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300)
    await back.receive("call:start")
