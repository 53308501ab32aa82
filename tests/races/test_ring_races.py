"""Rings decided by two processes at once: one outcome, one call, one end on every screen.

Each test plays many rounds with the same two users; the traces of a round are removed without the models.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.conftest import MakePerson, MakeSite, Running
from tests.support.clients import Socket
from tests.support.scenes import Two, advance, freeze, rows, two

ENDS = ("call:start", "call:answered", "call:declined", "call:cancelled")
Told = set[tuple[str, str]]


def speaks_of(message: dict[str, Any]) -> tuple[str, str]:
    """(the ring's or the call's id, the outcome) in a message."""
    if message["type"] == "call:start":
        return message["callId"], "accepted"
    return message["inviteId"], message.get("outcome") or message["reason"]


async def told(socket: Socket, invite_id: str, earlier: set[str]) -> Told:
    """The end of the ring as this socket got it; a message about an earlier ring or call may still be under
    way.
    """
    heard: Told = set()
    while not any(
        one == invite_id or (outcome == "accepted" and one not in earlier) for one, outcome in heard
    ):
        heard.add(speaks_of(await socket.receive(*ENDS)))
    await socket.quiet()
    heard |= {speaks_of(message) for message in socket.inbox if message["type"] in ENDS}
    socket.inbox.clear()
    return heard


async def check_one_end(
    site: Running, pair: Two, sockets: list[Socket], invite_id: str, earlier: set[str]
) -> str:
    """All sockets got the same end, and PostgreSQL has it too. `earlier` are the rings and calls of earlier
    rounds; those of this one are added.
    """
    heard = await asyncio.gather(*(told(socket, invite_id, earlier) for socket in sockets))
    outcomes = await rows(site.models, "select invite_id::text, outcome from invite_outcomes")
    calls = [row[0] for row in await rows(site.models, "select call_id::text from calls")]
    assert [row[0] for row in outcomes] == [invite_id]
    outcome = str(outcomes[0][1])
    assert len(calls) == (outcome == "accepted")
    for one in heard:
        now = {said for about, said in one if about in (invite_id, *calls)}
        assert now == {outcome}, (outcomes, calls, heard)
    earlier.update((invite_id, *calls))
    for who in (pair.anna, pair.ben):
        assert await site.models.calls.live_of(who.user_id) == (calls[0] if calls else None)
    return outcome


CLEAN = """
delete from live_seats; delete from call_messages; delete from calls; delete from invite_outcomes;
delete from cooldowns
"""


async def clean(site: Running, pair: Two) -> None:
    """Resets the state, so that the next round begins as the first did."""
    busy = await site.models.bus.command("get", f"ns:busy:{pair.anna.user_id}")
    if busy:
        call_id = busy.decode().removeprefix("call:")
        await site.models.presence.free_from_call(call_id, [pair.anna.user_id, pair.ben.user_id])
    await rows(site.models, CLEAN)


async def play(
    site: Running,
    pair: Two,
    sockets: list[Socket],
    race: Callable[[str], Awaitable[None]],
    allowed: set[str],
    number_of_rounds: int,
) -> None:
    """Every round ends in one of these ways. Whether all of them occur is left to chance."""
    earlier: set[str] = set()
    for _ in range(number_of_rounds):
        invite_id = await pair.ring()
        await race(invite_id)
        assert await check_one_end(site, pair, sockets, invite_id, earlier) in allowed
        await clean(site, pair)


def accept(socket: Socket, invite_id: str) -> None:
    socket.send("call:accept", inviteId=invite_id, requestedSeconds=300)


LOUD = {"invite_messages_per_second": 100_000}


async def test_two_tabs_accept_at_once(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    near, far = await make_site(**LOUD), await make_site(**LOUD)
    pair = await two(near, person, far)
    tab = await near.invites(pair.ben)

    async def race(invite_id: str) -> None:
        accept(pair.b, invite_id)
        accept(tab, invite_id)

    await play(near, pair, [pair.a, pair.b, tab], race, {"accepted"}, number_of_rounds)


async def test_accept_against_cancel(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    near, far = await make_site(**LOUD), await make_site(**LOUD)
    pair = await two(near, person, far)
    turn = [0]

    async def race(invite_id: str) -> None:
        turn[0] += 1
        if turn[0] % 2:
            accept(pair.b, invite_id)
            pair.a.send("call:cancel", inviteId=invite_id)
        else:
            pair.a.send("call:cancel", inviteId=invite_id)
            accept(pair.b, invite_id)

    await play(near, pair, [pair.a, pair.b], race, {"accepted", "cancelled"}, number_of_rounds)


async def test_accept_against_miss(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    near, far = await make_site(**LOUD), await make_site(**LOUD)
    pair = await two(near, person, far)
    freeze(near, far)

    async def race(invite_id: str) -> None:
        advance(20, near, far)
        accept(pair.b, invite_id)
        await asyncio.gather(near.models.outcomes.sweep(), far.models.outcomes.sweep())

    await play(near, pair, [pair.a, pair.b], race, {"accepted", "missed"}, number_of_rounds)


async def test_decline_against_cancel_against_accept(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    near, far = await make_site(**LOUD), await make_site(**LOUD)
    pair = await two(near, person, far)
    tab = await near.invites(pair.ben)

    async def race(invite_id: str) -> None:
        pair.b.send("call:decline", inviteId=invite_id)
        accept(tab, invite_id)
        pair.a.send("call:cancel", inviteId=invite_id)

    await play(
        near, pair, [pair.a, pair.b, tab], race, {"accepted", "declined", "cancelled"}, number_of_rounds
    )


async def test_two_who_invite_each_other_at_once(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    near, far = await make_site(**LOUD), await make_site(**LOUD)
    pair = await two(near, person, far)
    for _ in range(number_of_rounds):
        pair.a.send("call:invite", toUserId=pair.ben.user_id, requestedSeconds=300)
        pair.b.send("call:invite", toUserId=pair.anna.user_id, requestedSeconds=300)
        mine, theirs = await pair.a.receive("call:start"), await pair.b.receive("call:start")
        assert mine["callId"] == theirs["callId"]
        assert mine["polite"] is not theirs["polite"]
        for socket in (pair.a, pair.b):
            assert set(await socket.quiet()) <= {"state", "call:ringing", "call:notify", "queue:update"}
            socket.inbox.clear()
        assert await rows(near.models, "select outcome from invite_outcomes") == [("accepted",)]
        await clean(near, pair)
