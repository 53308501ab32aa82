"""Call invites: the reasons why a ring is not possible, its possible results, and who is notified."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from tests.conftest import MakePerson, Person, Running
from tests.support.factories import cooldown, report_row
from tests.support.scenes import Two, advance, ban, block, cooldown_seconds, freeze, rounds, rows, two

DAY, HOUR = 24 * 3600, 3600


async def answer_to(two_: Two, to: Any, seconds: Any = 300) -> dict[str, Any]:
    two_.a.send("call:invite", toUserId=to, requestedSeconds=seconds, id="x")
    return await two_.a.receive("call:declined", "call:ringing", "call:start", "error", id="x")


async def reason_of(two_: Two, to: Any, seconds: Any = 300) -> str:
    answer = await answer_to(two_, to, seconds)
    assert answer["type"] == "call:declined", answer
    return str(answer["reason"])


async def test_invalid_targets(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    odd = [
        pair.anna.user_id,
        "x",
        "",
        None,
        7,
        7.5,
        True,
        [],
        {},
        pair.ben.user_id.upper(),
        f" {pair.ben.user_id}",
    ]
    for to in odd:
        assert await reason_of(pair, to) == "invalid_target"
        # The target is checked first.
        assert await reason_of(pair, to, "bad") == "invalid_target"
    assert "call:notify" not in await pair.b.quiet()


async def test_invalid_lengths(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    for seconds in (59, 1801, 0, -60, True, False, "300", None, 300.0, 60.5, [], {}, 10**18, 10**30):
        assert await reason_of(pair, pair.ben.user_id, seconds) == "invalid_duration", seconds
    pair.a.send("call:invite", toUserId=pair.ben.user_id, id="none")
    assert (await pair.a.receive("call:declined", id="none"))["reason"] == "invalid_duration"


@pytest.mark.parametrize("seconds", [60, 1800])
async def test_the_shortest_and_the_longest_length_ring(
    site: Running, person: MakePerson, seconds: int
) -> None:
    pair = await two(site, person)
    assert (await answer_to(pair, pair.ben.user_id, seconds))["type"] == "call:ringing"


@pytest.mark.parametrize("lack", ["access", "selfie", "ban"])
async def test_without_access_a_user_cannot_invite(site: Running, person: MakePerson, lack: str) -> None:
    ben = await person("Ben")
    anna = await person("Anna", access=None if lack == "access" else "comp", selfie=lack != "selfie")
    pair = Two(anna, ben, await site.invites(anna, join=False), await site.invites(ben))
    if lack == "ban":
        await ban(site.models, anna)
    assert await reason_of(pair, ben.user_id, 59) == "invalid_duration"
    assert await reason_of(pair, ben.user_id) == "no_access"
    # Users who may not invite do not learn who is online.
    assert await reason_of(pair, str(uuid.uuid4())) == "no_access"


async def test_unknown_blocked_reported_banned_and_away_users_get_identical_answers(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    others = {
        name: await person(name) for name in ("away", "blocks", "blocked", "reports", "reported", "banned")
    }
    for name, other in others.items():
        if name != "away":
            await site.invites(other)
    await hide(site, pair.anna, others)
    await site.invites(await person("left"), join=False)
    pair.a.inbox.clear()
    targets = [str(uuid.uuid4()), *(o.user_id for o in others.values())]
    answers = [await answer_to(pair, to) for to in targets]
    assert answers == [{"type": "call:declined", "reason": "offline", "id": "x"}] * 7
    # Nor does the time of an answer tell them apart: each costs the same steps.
    assert {await steps_of(site, pair, to) for to in targets} == {(1, 1)}


async def steps_of(site: Running, pair: Two, to: str) -> tuple[int, int]:
    """The statements of PostgreSQL and the scripts of Redis that an invite costs."""
    before = site.models.db.statements_run, await scripts_run(site)
    assert await reason_of(pair, to) == "offline"
    return site.models.db.statements_run - before[0], await scripts_run(site) - before[1]


async def scripts_run(site: Running) -> int:
    stats = await site.models.bus.command("info", "commandstats")
    text = stats.decode() if isinstance(stats, bytes) else str(stats)
    found = re.search(r"evalsha\D+calls\D+(\d+)", text)
    return int(found[1]) if found else 0


async def hide(site: Running, anna: Person, others: dict[str, Person]) -> None:
    await block(site.models, others["blocks"], anna)
    await block(site.models, anna, others["blocked"])
    await report_row(site.models, others["reports"], anna)
    await report_row(site.models, anna, others["reported"])
    await ban(site.models, others["banned"])


async def test_offline_comes_before_cooldown_and_cooldown_before_busy(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    cleo = await person("Cleo")
    third = Two(cleo, pair.ben, await site.invites(cleo), pair.b)
    await pair.ring()
    assert await reason_of(third, pair.ben.user_id) == "busy"
    await cooldown(site.models, cleo, pair.ben, hours=1)
    assert await reason_of(third, pair.ben.user_id) == "cooldown"
    await block(site.models, pair.ben, cleo)
    assert await reason_of(third, pair.ben.user_id) == "offline"


async def test_users_who_ring_or_are_rung_are_busy_for_others(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    cleo, dana = await person("Cleo"), await person("Dana")
    third = Two(cleo, dana, await site.invites(cleo), await site.invites(dana))
    await pair.ring()
    assert await reason_of(third, pair.anna.user_id) == "busy"
    assert await reason_of(third, pair.ben.user_id) == "busy"
    # One outgoing invite per caller, and a user who is rung cannot ring others.
    assert await reason_of(pair, dana.user_id) == "busy"
    assert await reason_of(Two(pair.ben, dana, pair.b, third.b), dana.user_id) == "busy"
    assert (await answer_to(third, dana.user_id))["type"] == "call:ringing"


async def test_users_in_a_call_are_busy(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    cleo = await person("Cleo")
    third = Two(cleo, pair.ben, await site.invites(cleo), pair.b)
    await pair.call()
    assert await reason_of(third, pair.ben.user_id) == "busy"
    assert await reason_of(third, pair.anna.user_id) == "busy"
    assert await reason_of(pair, cleo.user_id) == "busy"


async def test_a_ring_contains_the_peer_the_length_and_the_deadline(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    freeze(site)
    pair.a.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=90, id="i")
    ringing = await pair.a.receive("call:ringing")
    notify = await pair.b.receive("call:notify")
    now = site.models.clock.now_ms()
    assert set(ringing) == {"type", "id", "inviteId", "toUser", "expiresAt", "serverNow"}
    assert (ringing["toUser"]["name"], ringing["serverNow"]) == ("Ben", now)
    assert set(notify) == {"type", "inviteId", "fromUser", "requestedSeconds", "expiresAt", "serverNow"}
    assert (notify["fromUser"]["userId"], notify["requestedSeconds"]) == (pair.anna.user_id, 90)
    assert notify["inviteId"] == ringing["inviteId"]
    expires = (await rows(site.models, "select %s::timestamptz", notify["expiresAt"]))[0][0]
    assert (expires - site.models.clock.now()).total_seconds() == 20


@pytest.mark.parametrize(("mine", "theirs", "agreed"), [(60, 61, 60), (60, 1800, 930), (301, 300, 300)])
async def test_the_agreed_length_is_the_floor_of_the_mean(
    site: Running, person: MakePerson, mine: int, theirs: int, agreed: int
) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring(mine)
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=theirs, id="y")
    mine_, theirs_ = await pair.a.receive("call:start"), await pair.b.receive("call:start", id="y")
    assert mine_["agreedSeconds"] == theirs_["agreedSeconds"] == agreed
    assert mine_["callId"] == theirs_["callId"]
    assert mine_["polite"] is not theirs_["polite"]
    assert (mine_["peerUser"]["name"], theirs_["peerUser"]["name"]) == ("Ben", "Anna")


async def test_an_invalid_length_of_the_callee_is_rejected_and_the_ring_continues(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring()
    for seconds, code in ((59, "invalid"), (1801, "invalid"), (True, "bad_request"), ("60", "bad_request")):
        pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=seconds, id="odd")
        assert (await pair.b.receive("error", id="odd"))["code"] == code
    pair.b.send("call:accept", inviteId=invite_id, requestedSeconds=60)
    await pair.b.receive("call:start")


async def test_a_caller_may_extend_a_ring_twice(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    freeze(site)
    invite_id = await pair.ring()
    for _ in range(2):
        pair.a.send("call:extend-wait", inviteId=invite_id, id="more")
        told = await pair.a.receive("call:wait-extended", id="more")
        heard = await pair.b.receive("call:wait-extended")
        assert (heard["inviteId"], heard["expiresAt"]) == (invite_id, told["expiresAt"])
    pair.a.send("call:extend-wait", inviteId=invite_id, id="third")
    assert (await pair.a.receive("error", id="third"))["code"] == "conflict"
    advance(59, site)
    await rounds(site)
    assert await pair.a.quiet() == ["state"]
    advance(1, site)
    await rounds(site)
    assert (await pair.a.receive("call:declined"))["reason"] == "missed"


async def test_the_callee_cannot_extend_the_ring(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    invite_id = await pair.ring()
    pair.b.send("call:extend-wait", inviteId=invite_id, id="no")
    assert (await pair.b.receive("error", id="no"))["code"] == "not_found"
    assert "call:wait-extended" not in await pair.a.quiet()


async def test_a_later_shorter_cooldown_never_shortens_a_longer_one(
    site: Running, person: MakePerson
) -> None:
    pair = await two(site, person)
    freeze(site)
    invite_id = await pair.ring()
    await cooldown(site.models, pair.anna, pair.ben, days=1)
    pair.a.send("call:cancel", inviteId=invite_id, id="c")
    await pair.a.receive("call:cancelled", id="c")
    assert await cooldown_seconds(site.models, pair.anna, pair.ben) == DAY
