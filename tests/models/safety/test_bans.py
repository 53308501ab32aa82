"""Bans: in force everywhere at once, also if events are lost; lifted with all their effects."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from models.errors import Banned, Conflict, Invalid, NotFound
from models.ids import new_id
from models.safety.bans import NewBan
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.factories import end_sessions
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR, bans_of, met, report, reporters
from tests.support.scenes import ban, freeze, in_call, rows, stand_still, two

RULE = {"rule": "harassment", "reason": "You shouted at people."}


async def test_a_ban_is_in_force_on_every_socket_of_two_processes(
    site: Running, person: MakePerson, make_site: MakeSite
) -> None:
    """The banned user is on the other process; their peer is on this one."""
    scene = await in_call(site, person, await make_site())
    ben = scene.people.ben
    await site.models.bans.decide(NewBan(user_id=ben.user_id, **RULE), MODERATOR)
    told = await scene.people.b.receive("ban")
    assert (told["rule"], told["reason"], told["until"]) == ("harassment", "You shouted at people.", None)
    assert told["appealUrl"].startswith("/appeal?token=")
    assert await scene.people.b.closed() == 4403
    assert await scene.b.closed() in (4403, 1000)
    assert (await scene.a.receive("call:end"))["reason"] == "banned"
    answer = await site.client.get("/user/me", token=ben.token)
    assert (answer.status, answer.code) == (403, "banned")
    assert answer.json["error"]["fields"]["reason"] == "You shouted at people."


async def test_the_sweep_enforces_bans_if_events_are_lost(site: Running, person: MakePerson) -> None:
    freeze(site)
    scene = await in_call(site, person)
    ben = scene.people.ben
    await ban(site.models, ben)
    await end_sessions(site.models, ben, "banned")
    await site.models.sweep.once()
    assert (await scene.people.b.receive("ban"))["rule"] == "r"
    assert await scene.people.b.closed() == 4403
    assert (await scene.a.receive("call:end"))["reason"] == "banned"


async def test_a_ban_ends_the_ring_and_leaves_the_queue(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    carl = await person("Carl")
    await site.invites(carl)
    await pair.ring()
    await site.models.bans.decide(NewBan(user_id=pair.ben.user_id, **RULE), MODERATOR)
    assert (await pair.a.receive("call:cancelled"))["reason"] == "gone"
    await pair.b.closed()
    users = (await site.client.get("/room/queue", token=carl.token)).json["users"]
    assert [user["userId"] for user in users] == [pair.anna.user_id]
    pair.a.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=300, id="again")
    assert (await pair.a.receive("call:declined", id="again"))["reason"] == "offline"


async def test_a_socket_of_a_banned_user_receives_only_the_ban(site: Running, person: MakePerson) -> None:
    ben = await person("Ben")
    await site.models.bans.decide(NewBan(user_id=ben.user_id, **RULE), MODERATOR)
    socket = await site.socket("/ws/invites", ben.token)
    assert (await socket.receive("ban"))["reason"] == "You shouted at people."
    assert await socket.closed() == 4403


async def test_a_guest_can_return_after_the_ban(models: Models, person: MakePerson) -> None:
    stand_still(models)
    ben = await person("Ben")
    until = models.clock.now() + timedelta(days=1)
    await models.bans.decide(NewBan(user_id=ben.user_id, until=until, **RULE), MODERATOR)
    assert (await models.admission.of(ben.token)).refusal is not None
    models.clock.advance(days=1, seconds=1)
    asker = await models.admission.of(ben.token)
    assert asker.refusal is None
    assert asker.member is not None


async def test_a_lifted_ban_dismisses_its_reports_and_a_permanent_one_upholds_them(
    models: Models, person: MakePerson
) -> None:
    bad, worse = await person("Bad"), await person("Worse")
    for about in (bad, worse):
        for one in await reporters(models, person, about, 4):
            await report(models, one, about)
    (ban,), (other,) = await models.bans.of_user(bad.user_id), await models.bans.of_user(worse.user_id)
    await models.bans.lift(ban.ban_id, MODERATOR, "They did nothing.")
    made = await models.bans.make_permanent(other.ban_id, MODERATOR, "Seen it.")
    assert (made.kind, made.decided_by, made.reason) == ("permanent", MODERATOR, "Seen it.")
    verdicts = await rows(models, "select distinct reported_id, verdict from reports")
    assert dict(verdicts) == {bad.user_id: "dismissed", worse.user_id: "upheld"}
    assert (await models.admission.of(bad.token)).member is not None
    with pytest.raises(Conflict):
        await models.bans.lift(ban.ban_id, MODERATOR, "Again.")
    with pytest.raises(Conflict):
        await models.bans.make_permanent(ban.ban_id, MODERATOR, "Again.")


async def test_after_a_lifted_ban_a_fifth_report_causes_no_new_one(
    models: Models, person: MakePerson
) -> None:
    bad = await person("Bad")
    for one in await reporters(models, person, bad, 4):
        await report(models, one, bad)
    (ban,) = await models.bans.of_user(bad.user_id)
    await models.bans.lift(ban.ban_id, MODERATOR, "They did nothing.")
    (fifth,) = await reporters(models, person, bad, 1)
    await report(models, fifth, bad)
    assert await bans_of(models, bad) == [("temporary", False)]


async def test_concurrent_decisions_leave_one_active_ban(models: Models, person: MakePerson) -> None:
    bad = await person("Bad")
    new = NewBan(user_id=bad.user_id, **RULE)
    await asyncio.gather(*(models.bans.decide(new, who) for who in (MODERATOR, OTHER_MODERATOR) * 3))
    assert [stands for _, stands in await bans_of(models, bad)].count(True) == 1


async def test_a_concurrently_dismissed_report_causes_no_ban(models: Models, person: MakePerson) -> None:
    """Two moderators decide a report at the same time: the first decision counts, also for the ban."""
    anna, bad = await person("Anna"), await person("Bad")
    await met(models, anna, bad)
    await report(models, anna, bad)
    ((report_id,),) = await rows(models, "select report_id::text from reports")
    await models.report_reviews.judge(report_id, OTHER_MODERATOR, "dismissed")
    with pytest.raises(Conflict):
        await models.bans.decide(NewBan(user_id=bad.user_id, report_ids=(report_id,), **RULE), MODERATOR)
    assert await bans_of(models, bad) == []
    assert (await models.admission.of(bad.token)).member is not None


async def test_a_reason_and_a_future_end_are_required(models: Models, person: MakePerson) -> None:
    bad = await person("Bad")
    past = models.clock.now() - timedelta(seconds=1)
    for odd in (
        NewBan(user_id=bad.user_id, rule="", reason="x"),
        NewBan(user_id=bad.user_id, rule="spam", reason=" "),
        NewBan(user_id=bad.user_id, until=past, **RULE),
    ):
        with pytest.raises(Invalid):
            await models.bans.decide(odd, MODERATOR)
    with pytest.raises(NotFound):
        await models.bans.decide(NewBan(user_id=new_id(), **RULE), MODERATOR)


# -- addresses --


async def test_an_address_ban_ends_with_a_lifted_ban(models: Models, person: MakePerson) -> None:
    bad, address = await person("Bad"), "203.0.113.7"
    await models.address_bans.saw(bad.user_id, address)
    ban = await models.bans.decide(NewBan(user_id=bad.user_id, with_addresses=True, **RULE), MODERATOR)
    with pytest.raises(Banned):
        await models.address_bans.check(address)
    await models.address_bans.check("203.0.113.8")
    await models.bans.lift(ban.ban_id, MODERATOR, "They did nothing.")
    await models.address_bans.check(address)


async def test_address_bans_expire_and_addresses_are_deleted(models: Models, person: MakePerson) -> None:
    stand_still(models)
    bad, address = await person("Bad"), "203.0.113.7"
    await models.address_bans.saw(bad.user_id, address)
    await models.bans.decide(NewBan(user_id=bad.user_id, with_addresses=True, **RULE), MODERATOR)
    models.clock.advance(hours=24, seconds=1)
    await models.address_bans.check(address)
    models.clock.advance(days=7)
    await models.address_bans.forget()
    assert await rows(models, "select count(*) from seen_addresses") == [(0,)]
    assert await rows(models, "select count(*) from address_bans") == [(0,)]


async def test_no_address_is_stored_in_plain_text(models: Models, person: MakePerson) -> None:
    bad = await person("Bad")
    await models.address_bans.saw(bad.user_id, "203.0.113.7")
    ((kept,),) = await rows(models, "select encode(address_hash, 'escape') from seen_addresses")
    assert "203.0.113" not in kept
