"""Outcomes of rings by commands: one outcome per ring, with its cooldown."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from models.ringing.outcomes import Accepted
from tests.conftest import MakePerson, Running
from tests.support.clients import Socket
from tests.support.factories import deleted, end_access, report_row
from tests.support.scenes import Two, advance, ban, block, cooldown_seconds, freeze, rows, two, until

DAY, HOUR = 24 * 3600, 3600


async def outcomes(site: Running) -> list[str]:
    return [row[0] for row in await rows(site.models, "select outcome from invite_outcomes")]


async def test_all_tabs_ring_and_the_other_tabs_are_notified_of_the_answer(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    other_a, other_b = await site.invites(pair.anna), await site.invites(pair.ben, join=False)
    invite_id = await pair.ring()
    await other_a.receive("call:ringing", inviteId=invite_id)
    await other_b.receive("call:notify", inviteId=invite_id)
    other_b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="me")
    start = await other_b.receive("call:start", id="me")
    assert (await pair.a.receive("call:start"))["callId"] == start["callId"]
    for socket in (pair.b, other_a):
        assert await socket.receive("call:answered") == {
            "type": "call:answered", "inviteId": invite_id, "outcome": "accepted",
        }  # fmt: skip
        assert "call:start" not in await socket.quiet()
    assert "call:answered" not in await pair.a.quiet()
    assert await outcomes(site) == ["accepted"]


async def test_the_first_answer_wins_and_the_second_gets_the_outcome(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    tab = await site.invites(pair.ben)
    invite_id = await pair.ring()
    tab.send("call:decline", inviteId=invite_id, id="no")
    assert (await tab.receive("call:answered", id="no"))["outcome"] == "declined"
    await pair.b.receive("call:answered", outcome="declined")
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="late")
    assert (await pair.b.receive("call:answered", id="late"))["outcome"] == "declined"
    assert await rows(site.models, "select * from calls") == []


async def test_a_decline_has_a_cooldown_of_a_day(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    freeze(site)
    tab_a, tab_b = await site.invites(pair.anna), await site.invites(pair.ben)
    invite_id = await pair.ring()
    pair.b.send("call:decline", inviteId=invite_id, id="no")
    assert (await pair.b.receive("call:answered", id="no"))["outcome"] == "declined"
    for socket in (pair.a, tab_a):
        assert await socket.receive("call:declined") == {
            "type": "call:declined", "inviteId": invite_id, "reason": "declined",
        }  # fmt: skip
    assert (await tab_b.receive("call:answered"))["outcome"] == "declined"
    assert await cooldown_seconds(site.models, pair.anna, pair.ben) == DAY
    pair.b.send("call:invite", toUserId=pair.anna.user_id, requestedSeconds=300, id="back")
    assert (await pair.b.receive("call:declined", id="back"))["reason"] == "cooldown"
    advance(DAY, site)
    await pair.ring()


async def test_a_cancel_has_a_cooldown_of_an_hour(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    freeze(site)
    tab_a = await site.invites(pair.anna)
    invite_id = await pair.ring()
    pair.a.send("call:cancel", inviteId=invite_id, id="c")
    told = {"type": "call:cancelled", "inviteId": invite_id, "reason": "cancelled"}
    assert await pair.a.receive("call:cancelled") == told | {"id": "c"}
    for socket in (pair.b, tab_a):
        assert await socket.receive("call:cancelled") == told
    assert await cooldown_seconds(site.models, pair.anna, pair.ben) == HOUR
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="late")
    assert (await pair.b.receive("call:cancelled", id="late"))["reason"] == "cancelled"


async def test_two_users_who_invite_each_other_are_in_a_call(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    tab = await site.invites(pair.ben)
    await pair.ring(100)
    pair.b.send("call:invite", toUserId=pair.anna.user_id, requestedSeconds=201, id="glare")
    mine, theirs = await pair.a.receive("call:start"), await pair.b.receive("call:start", id="glare")
    assert (mine["callId"], mine["agreedSeconds"]) == (theirs["callId"], 150)
    assert (await tab.receive("call:answered"))["outcome"] == "accepted"
    assert await outcomes(site) == ["accepted"]


@pytest.mark.parametrize("command", ["call:accept", "call:decline", "call:cancel", "call:extend-wait"])
async def test_commands_of_other_users_are_not_found_and_publish_nothing(
    site: Running, person: MakePerson, command: str
) -> None:
    pair = await two(site, person)
    cleo = await site.invites(await person("Cleo"))
    invite_id = await pair.ring()
    answers = []
    for unknown in (invite_id, str(uuid.uuid4()), "x"):
        cleo.send(command, inviteId=unknown, requestedSeconds=300, id="s")
        answers.append(await cleo.receive("error", id="s"))
    assert answers[0]["code"] == "not_found"
    assert answers[0] == answers[1] == answers[2]
    for socket in (pair.a, pair.b):
        assert set(await socket.quiet()) == {"state"}
    assert await outcomes(site) == []


@pytest.mark.parametrize(
    ("who", "command"), [("a", "call:accept"), ("a", "call:decline"), ("b", "call:cancel")]
)
async def test_a_user_cannot_send_the_commands_of_the_other_side(
    site: Running, person: MakePerson, who: str, command: str
) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring()
    socket: Socket = getattr(pair, who)
    socket.send(command, inviteId=invite_id, requestedSeconds=300, id="no")
    assert (await socket.receive("error", id="no"))["code"] == "not_found"
    assert await outcomes(site) == []


async def test_other_users_cannot_learn_an_outcome(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    cleo = await site.invites(await person("Cleo"))
    invite_id = await pair.ring()
    pair.b.send("call:decline", inviteId=invite_id)
    await pair.a.receive("call:declined")
    cleo.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="s")
    assert (await cleo.receive("error", id="s"))["code"] == "not_found"


@pytest.mark.parametrize("between", ["block", "report", "ban", "access", "deleted"])
async def test_an_acceptance_checks_again(site: Running, person: MakePerson, between: str) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring()
    await _come_between(site, pair, between)
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="y")
    told = {"type": "call:cancelled", "inviteId": invite_id, "reason": "gone"}
    assert await pair.b.receive("call:cancelled", id="y") == told | {"id": "y"}
    assert await pair.a.receive("call:cancelled") == told
    assert await rows(site.models, "select * from live_seats") == []
    assert await outcomes(site) == ["gone"]


async def _come_between(site: Running, pair: Two, between: str) -> None:
    models, anna = site.models, pair.anna
    await {
        "block": lambda: block(models, pair.ben, anna),
        "report": lambda: report_row(models, pair.ben, anna),
        "ban": lambda: ban(models, anna),
        "access": lambda: end_access(models, anna),
        "deleted": lambda: deleted(models, anna),
    }[between]()


async def test_accepting_while_in_another_call_ends_the_ring(site: Running, person: MakePerson) -> None:
    pair, cleo = await two(site, person), await person("Cleo")
    invite_id = await pair.ring()
    # Bypasses Redis, as if it had been emptied.
    new = site.models.calls.new(str(uuid.uuid4()), pair.anna.user_id, cleo.user_id, 300)
    accepted = await site.models.outcomes._sql.one("accept", Accepted, **new.as_values())
    assert accepted is not None
    assert (accepted.is_allowed, accepted.is_first, accepted.seats) == (True, True, 2)
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=300, id="y")
    assert (await pair.b.receive("call:cancelled", id="y"))["reason"] == "gone"
    assert (await pair.a.receive("call:cancelled"))["reason"] == "gone"
    assert [row[0] for row in await rows(site.models, "select call_id from calls")] == [new.call_id]


async def test_access_that_ends_during_the_accept_prevents_the_call(
    site: Running, person: MakePerson
) -> None:
    models, anna, ben = site.models, await person("Anna"), await person("Ben")
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with models.db.transaction() as on:
        await models.grants.lock(ben.user_id, on=on)
        await models.grants.take_away_locked(ben.user_id, "comp", f"test:{ben.user_id}", "a test", on=on)
        new = models.calls.new(str(uuid.uuid4()), anna.user_id, ben.user_id, 300)
        accepting = asyncio.create_task(models.outcomes.accept(new))
        await until(lambda: accepting.done() or rows(models, waiting))
    assert (await accepting)[0] == "impossible"
    assert await rows(models, "select * from live_seats") == []
