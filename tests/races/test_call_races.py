"""A call whose time ends at the moment one side hangs up: one end, written once, sent to both alike."""

from __future__ import annotations

import asyncio

from models.calls.state import HungUp, Tick
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.scenes import advance, freeze, in_call, rounds, rows

RUNNING = """
update calls set state = 'connected', connected_at = started_at, running_since = started_at, caller_up = true,
    callee_up = true, caller_seat = 'x/1', callee_seat = 'y/1', due_at = started_at + interval '60 seconds',
    version = version + 1
where call_id = %s
"""


async def begin(site: Running, number: int, anna: Person, ben: Person) -> str:
    """A connected call of sixty seconds, without sockets."""
    invite_id = f"00000000-0000-4000-8000-{number:012d}"
    new = site.models.calls.new(invite_id, anna.user_id, ben.user_id, 60)
    assert (await site.models.outcomes.accept(new))[0] == "accepted"
    await rows(site.models, RUNNING, new.call_id)
    return new.call_id


async def test_the_timer_against_hanging_up(
    make_site: MakeSite, site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    far = await make_site()
    anna, ben = await person("Anna"), await person("Ben")
    freeze(site, far)
    for number in range(number_of_rounds):
        call_id = await begin(site, number, anna, ben)
        # The two processes' clocks differ by as much as the race needs: one sees zero, the other does not
        # yet.
        advance(59.9995, far)
        advance(60, site)
        ends = await asyncio.gather(
            far.models.calls.apply(call_id, HungUp()),
            site.models.calls.apply(call_id, Tick()),
            far.models.calls.apply(call_id, HungUp()),
            site.models.calls.sweep(),
        )
        assert len({end.progress for end in ends if end is not None}) == 1
        advance(0.0005, far)
        await rows(site.models, "delete from cooldowns")
    reasons = dict(await rows(site.models, "select ended_reason, count(*) from calls group by 1"))
    assert sum(reasons.values()) == number_of_rounds
    assert set(reasons) <= {"hung_up", "expired"}
    assert await rows(site.models, "select distinct successful_calls from users") == [(number_of_rounds,)]
    for who in (anna, ben):
        past = await site.models.history.page(who.user_id)
        assert len({call.call_id for call in past.calls}) == len(past.calls) == 20
    assert await rows(site.models, "select count(*) from live_seats") == [(0,)]


async def test_both_sockets_receive_one_end(make_site: MakeSite, site: Running, person: MakePerson) -> None:
    far = await make_site()
    for _ in range(5):
        scene = await in_call(site, person, far, seconds=60, connected=False)
        freeze(site, far)
        await scene.connect()
        advance(60, site, far)
        scene.a.send("call:end")
        await asyncio.gather(rounds(site, 1), rounds(far, 1))
        mine, theirs = await scene.a.receive("call:end"), await scene.b.receive("call:end")
        assert mine == theirs
        assert await scene.a.closed() == await scene.b.closed() == 1000
        assert "call:end" not in [message["type"] for message in scene.a.inbox + scene.b.inbox]
