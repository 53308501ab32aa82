"""The races of tests/races again, between real processes: both decide at once, each on its own process.

Ten pairs play at the same time, fifty rounds each; the traces of a round are removed without the models.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.machines.actors.actor import Actor, in_call
from tests.machines.actors.line import Line, Told
from tests.machines.conftest import People
from tests.machines.site import Machines
from tests.support.scenes import until

PAIRS, ROUNDS = 10, 50
pytestmark = pytest.mark.prove
ENDS = ("call:start", "call:answered", "call:declined", "call:cancelled")


@dataclass
class Duel:
    """Anna calls, Ben is called; `tab` is his second socket, on a third process."""

    machines: Machines
    anna: Actor
    ben: Actor
    tab: Actor

    async def ring(self) -> str:
        invite_id = await self.anna.ring(self.ben)
        await self.tab.line.hear("call:notify", inviteId=invite_id)
        return invite_id

    @property
    def lines(self) -> list[Line]:
        return [self.anna.line, self.ben.line, self.tab.line]

    async def check(self, invite_id: str, allowed: set[str]) -> str:
        """One row has the outcome, and every screen got that outcome and nothing else."""
        sql = "select outcome, call_id::text from invite_outcomes where invite_id = %s"
        await until(lambda: self.machines.pair.rows(sql, invite_id))
        ((outcome, call_id),) = self.machines.pair.rows(sql, invite_id)
        assert outcome in allowed
        for line in self.lines:
            first = await line.hear(*ENDS)
            await settled(line)
            rest = [message for message in line.inbox if message["type"] in ENDS]
            assert {said(message) for message in [first, *rest]} == {outcome}
            assert {one.get("callId", call_id) for one in [first, *rest]} == {call_id}
        calls = "select count(*) from calls where invite_id = %s"
        assert self.machines.pair.rows(calls, invite_id) == [(int(outcome == "accepted"),)]
        return str(outcome)

    async def clean(self) -> None:
        """Ends the resulting call, if any; removes the cooldown; both are on the queue again."""
        ids = [self.anna.user_id, self.ben.user_id]
        seats = "select call_id::text from live_seats where user_id = %s"
        for (call_id,) in self.machines.pair.rows(seats, ids[0]):
            talk = await self.anna.enter(str(call_id))
            talk.line.send("call:end")
            await talk.end()
        self.machines.pair.rows("delete from cooldowns where low_id::text = any(%s)", ids)
        for actor in (self.anna, self.ben):
            assert await self.machines.is_free(actor)
        for line in self.lines:
            await settled(line)
            line.inbox.clear()


def said(message: Told) -> str:
    return "accepted" if message["type"] == "call:start" else message.get("outcome") or message["reason"]


async def settled(line: Line) -> None:
    """Waits until everything under way has arrived: two processes and Redis lie between."""
    for _ in range(3):
        line.send("ping", id="settled")
        await line.hear("pong", id="settled")


async def duels(machines: Machines, people: People) -> list[Duel]:
    who = await people(2 * PAIRS)
    made = []
    for anna, ben in zip(who[::2], who[1::2], strict=True):
        tab = Actor(machines.url, ben.client, ben.user_id, ben.name, ben.token)
        await asyncio.gather(
            anna.arrive(machines.one.url), ben.arrive(machines.two.url), tab.arrive(machines.three.url)
        )
        made.append(Duel(machines, anna, ben, tab))
    return made


Race = Callable[[Duel, str], Awaitable[None]]


async def play(machines: Machines, people: People, race: Race, allowed: set[str]) -> None:
    """Plays all rounds and prints the outcomes."""
    all_duels = await duels(machines, people)

    async def rounds(duel: Duel) -> list[str]:
        outcomes = []
        for _ in range(ROUNDS):
            invite_id = await duel.ring()
            await race(duel, invite_id)
            outcomes.append(await duel.check(invite_id, allowed))
            await duel.clean()
        return outcomes

    try:
        played = await asyncio.gather(*(rounds(duel) for duel in all_duels))
    finally:
        for duel in all_duels:
            await duel.tab.line.close()
    outcomes = [outcome for one in played for outcome in one]
    print({outcome: outcomes.count(outcome) for outcome in set(outcomes)})
    assert len(outcomes) == PAIRS * ROUNDS


def by_chance() -> bool:
    """Polled every five milliseconds, true within half a second or so: about the interval of the sweep."""
    return random.random() < 0.02


def accept(actor: Actor, invite_id: str) -> None:
    actor.line.send("call:accept", inviteId=invite_id, requestedSeconds=60)


async def test_two_tabs_accept_at_once(machines: Machines, people: People) -> None:
    async def race(duel: Duel, invite_id: str) -> None:
        accept(duel.ben, invite_id)
        accept(duel.tab, invite_id)

    await play(machines, people, race, {"accepted"})


async def test_accept_against_cancel(machines: Machines, people: People) -> None:
    async def race(duel: Duel, invite_id: str) -> None:
        moves = [
            lambda: accept(duel.ben, invite_id),
            lambda: duel.anna.line.send("call:cancel", inviteId=invite_id),
        ]
        random.shuffle(moves)
        for move in moves:
            move()

    await play(machines, people, race, {"accepted", "cancelled"})


async def test_accept_against_miss(machines: Machines, people: People) -> None:
    """The ring expires when one of the three processes sweeps; the accept arrives at about that time."""

    async def race(duel: Duel, invite_id: str) -> None:
        with machines.pair.keys() as keys:
            keys.zadd("ns:invites", {invite_id: 0})
        await until(by_chance, seconds=60)
        accept(duel.ben, invite_id)

    await play(machines, people, race, {"accepted", "missed"})


async def test_two_who_invite_each_other_at_once(machines: Machines, people: People) -> None:
    all_duels = await duels(machines, people)

    async def rounds(duel: Duel) -> None:
        for _ in range(ROUNDS):
            for one, other in ((duel.anna, duel.ben), (duel.ben, duel.anna)):
                one.line.send("call:invite", toUserId=other.user_id, requestedSeconds=60)
            mine, theirs = await asyncio.gather(
                duel.anna.line.hear("call:start"), duel.ben.line.hear("call:start")
            )
            assert mine["callId"] == theirs["callId"]
            assert mine["polite"] is not theirs["polite"]
            await duel.clean()

    try:
        await asyncio.gather(*map(rounds, all_duels))
    finally:
        for duel in all_duels:
            await duel.tab.line.close()


async def test_the_timer_against_hanging_up(machines: Machines, people: People) -> None:
    who = await people(2 * PAIRS)
    reasons: list[str] = []

    async def rounds(a: Actor, b: Actor) -> None:
        await asyncio.gather(a.arrive(machines.one.url), b.arrive(machines.two.url))
        for _ in range(ROUNDS):
            call_id = await in_call(a, b, a_at=machines.one.url, b_at=machines.two.url)
            machines.hurry(call_id, left_ms=150)
            await until(lambda: by_chance() or a.talking.ends, seconds=60)
            for one in (a, b):
                one.talking.line.send("call:end")
            mine, theirs = await asyncio.gather(a.talking.end(), b.talking.end())
            assert mine == theirs
            assert len(a.talking.ends) == len(b.talking.ends) == 1
            assert mine["reason"] == machines.end_of(call_id)
            reasons.append(mine["reason"])
            await machines.check_over(call_id, a, b, mine["reason"], set())
            machines.pair.rows("delete from cooldowns where low_id::text = any(%s)", [a.user_id, b.user_id])
            a.line.inbox.clear()
            b.line.inbox.clear()

    await asyncio.gather(*(rounds(a, b) for a, b in zip(who[::2], who[1::2], strict=True)))
    print({reason: reasons.count(reason) for reason in set(reasons)})
    assert len(reasons) == PAIRS * ROUNDS
    assert set(reasons) <= {"hung_up", "expired"}
