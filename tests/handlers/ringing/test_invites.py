"""/ws/invites as clients see it: state first, ids in answers, and current data about the member."""

from __future__ import annotations

import pytest

from tests.conftest import MakePerson, Running
from tests.support.factories import end_access
from tests.support.scenes import are_online, ban, rows, two, until


async def test_the_complete_state_comes_first(site: Running, person: MakePerson) -> None:
    socket = await site.invites(await person("Anna"), join=False)
    state = await socket.receive()
    assert set(state) == {"type", "serverNow", "access", "available", "invite", "call"}
    assert (state["type"], state["access"], state["available"]) == ("state", "comped", False)
    assert abs(state["serverNow"] - site.models.clock.now_ms()) < 5000


async def test_an_id_is_returned_in_its_answer_only(site: Running, person: MakePerson) -> None:
    socket = await site.invites(await person("Anna"), join=False)
    socket.send("ping", id="x" * 64)
    assert set(await socket.receive("pong", id="x" * 64)) == {"type", "serverNow", "id"}
    socket.send("ping")
    assert "id" not in await socket.receive("pong")


async def test_commands_are_answered_in_order(site: Running, person: MakePerson) -> None:
    socket = await site.invites(await person("Anna"), join=False)
    await socket.receive("state")
    for number in range(40):
        socket.send(("queue:join", "queue:leave", "ping")[number % 3], id=str(number))
    answers = [await socket.receive() for _ in range(40)]
    assert [answer["id"] for answer in answers] == [str(number) for number in range(40)]
    assert [answer.get("available") for answer in answers][:3] == [True, False, None]


async def test_unknown_fields_are_ignored(site: Running, person: MakePerson) -> None:
    socket = await site.invites(await person("Anna"), join=False)
    socket.send("queue:join", id="1", more={"deep": [1]}, available=False)
    assert (await socket.receive("queue:state", id="1"))["available"]


@pytest.mark.parametrize("is_gained", [True, False])
async def test_access_that_changes_while_the_socket_opens_is_in_its_state(
    site: Running, person: MakePerson, *, is_gained: bool
) -> None:
    anna, access = await person("Anna", access=None), site.models.grants
    if not is_gained:
        await access.grant(anna.user_id, "code", "a friend")
    async with site.models.db.transaction() as on:
        # After the member was read and before the socket subscribed to events.
        await on.link.execute("lock table seen_addresses in exclusive mode")
        socket = await site.socket("/ws/invites", anna.token)
        waiting = (
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        await until(lambda: rows(site.models, waiting))
        if is_gained:
            await access.grant(anna.user_id, "code", "a friend")
        else:
            await access.take_away("code", "a friend", "a test")
    assert (await socket.receive("state"))["access"] == ("invited" if is_gained else "unpaid")
    await until(lambda: are_online(site, int(is_gained)))


async def test_joining_reads_the_current_member(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    socket = await site.invites(anna)
    await end_access(site.models, anna)
    socket.send("queue:join", id="1")
    assert (await socket.receive("error", id="1"))["code"] == "payment_required"
    socket.send("call:invite", toUserId=anna.user_id[:-1] + "0", requestedSeconds=300, id="2")
    assert (await socket.receive("call:declined", id="2"))["reason"] in ("no_access", "invalid_target")


async def test_a_banned_user_can_neither_join_nor_invite(site: Running, person: MakePerson) -> None:
    pair = await two(site, person)
    await ban(site.models, pair.anna)
    pair.a.send("queue:join", id="1")
    assert (await pair.a.receive("error", id="1"))["code"] == "banned"
    pair.a.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=300, id="2")
    assert (await pair.a.receive("call:declined", id="2"))["reason"] == "no_access"
    assert "call:notify" not in await pair.b.quiet()


async def test_joining_twice_changes_nothing(site: Running, person: MakePerson) -> None:
    anna = await person("Anna")
    socket = await site.invites(anna)
    socket.send("queue:join", id="2")
    assert (await socket.receive("queue:state", id="2"))["available"]
    assert await site.models.bus.command("zcard", "ns:queue") == 1
