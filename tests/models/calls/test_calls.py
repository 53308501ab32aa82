"""Calls as rows: one step at a time in any process, and an end that is written once with its effects."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from models.calls.call import Call
from models.calls.state import Event, HungUp, MediaDown, MediaUp, SeatLost, Tick
from models.errors import NotFound
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Person, Running
from tests.support.factories import cooldown
from tests.support.scenes import cooldown_seconds, rows, stand_still

DAY = 24 * 3600


async def begun(models: Models, person: MakePerson, seconds: int = 300) -> tuple[Person, Person, Call]:
    """Two users in a call that was just accepted, without sockets."""
    anna, ben = await person("Anna"), await person("Ben")
    return anna, ben, await begin(models, anna, ben, seconds)


async def begin(models: Models, anna: Person, ben: Person, seconds: int = 300) -> Call:
    new = models.calls.new(str(uuid.uuid4()), anna.user_id, ben.user_id, seconds)
    assert (await models.outcomes.accept(new))[0] == "accepted"
    return await models.calls.get(new.call_id)


async def connect(models: Models, call: Call) -> None:
    await models.calls.take_seat(call.call_id, "caller", "a")
    await models.calls.take_seat(call.call_id, "callee", "b")
    await models.calls.report_media(call.call_id, MediaUp("caller"))
    await models.calls.report_media(call.call_id, MediaUp("callee"))


async def test_a_call_belongs_to_its_two_users(models: Models, person: MakePerson) -> None:
    anna, ben, call = await begun(models, person)
    stranger = await person("Cleo")
    for one, side in ((anna, "caller"), (ben, "callee")):
        assert (await models.calls.get_own(call.call_id, one.user_id)).side_of(one.user_id) == side
        assert await models.calls.live_of(one.user_id) == call.call_id
    with pytest.raises(NotFound) as mine:
        await models.calls.get_own(call.call_id, stranger.user_id)
    with pytest.raises(NotFound) as none:
        await models.calls.get_own(str(uuid.uuid4()), stranger.user_id)
    assert mine.value.as_json() == none.value.as_json()
    assert await models.calls.live_of(stranger.user_id) is None


async def test_one_side_is_polite_whichever_called(models: Models, person: MakePerson) -> None:
    _, _, call = await begun(models, person)
    assert call.is_polite("caller") is not call.is_polite("callee")


async def test_a_user_has_at_most_one_live_call(models: Models, person: MakePerson) -> None:
    anna, ben, call = await begun(models, person)
    cleo = await person("Cleo")
    for caller, callee in ((anna, cleo), (cleo, ben)):
        new = models.calls.new(str(uuid.uuid4()), caller.user_id, callee.user_id, 300)
        assert (await models.outcomes.accept(new))[0] == "impossible"
    assert await rows(models, "select call_id from calls") == [(call.call_id,)]
    await models.calls.hang_up(call.call_id)
    assert await models.calls.live_of(anna.user_id) is None
    await begin(models, anna, cleo)


@pytest.mark.parametrize(
    ("connects", "seconds", "cooldown", "counts"),
    [(False, 5, 0, 0), (True, 0, DAY, 0), (True, 29.999, DAY, 0), (True, 30, DAY, 1)],
)
async def test_the_effects_of_an_ended_call(
    models: Models, person: MakePerson, connects: bool, seconds: float, cooldown: int, counts: int
) -> None:
    stand_still(models)
    anna, ben, call = await begun(models, person)
    if connects:
        await connect(models, call)
    models.clock.advance(seconds=seconds)
    ended = await models.calls.hang_up(call.call_id)
    assert ended.connected_seconds == (int(seconds) if connects else 0)
    assert await cooldown_seconds(models, anna, ben) == cooldown
    assert await rows(models, "select sum(successful_calls) from users") == [(2 * counts,)]
    assert await rows(models, "select count(*) from live_seats") == [(0,)]
    assert await models.bus.command("keys", f"ns:*{call.call_id}*") == []


async def test_a_call_that_never_connects_fails_and_has_no_cooldown(
    models: Models, person: MakePerson
) -> None:
    stand_still(models)
    anna, ben, call = await begun(models, person)
    models.clock.advance(seconds=29.999)
    await models.calls.sweep()
    assert (await models.calls.get(call.call_id)).progress.state == "connecting"
    models.clock.advance(seconds=0.001)
    await models.calls.sweep()
    ended = (await models.calls.get(call.call_id)).progress
    assert (ended.ended_reason, ended.connected_ms) == ("failed", 0)
    assert await cooldown_seconds(models, anna, ben) == 0
    await begin(models, anna, ben)


async def test_a_shorter_cooldown_never_shortens_a_longer_one(models: Models, person: MakePerson) -> None:
    stand_still(models)
    anna, ben, call = await begun(models, person)
    await cooldown(models, anna, ben, days=3)
    await connect(models, call)
    await models.calls.hang_up(call.call_id)
    assert await cooldown_seconds(models, anna, ben) == 3 * DAY


async def test_the_sweep_ends_every_call_that_is_due(models: Models, person: MakePerson) -> None:
    stand_still(models)
    calls = [(await begun(models, person, 60))[2] for _ in range(5)]
    for call in calls[:3]:
        await connect(models, call)
    models.clock.advance(seconds=60)
    await models.calls.sweep()
    reasons = await rows(models, "select ended_reason, count(*) from calls group by 1 order by 1")
    assert reasons == [("expired", 3), ("failed", 2)]
    assert await rows(models, "select distinct connected_ms from calls order by 1") == [(0,), (60_000,)]


async def test_steps_of_two_processes_do_not_undo_each_other(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    near, far = (await make_site()).models, (await make_site()).models
    anna, ben = await person("Anna"), await person("Ben")
    call = await begin(near, anna, ben)
    await near.calls.take_seat(call.call_id, "caller", "a")
    await far.calls.take_seat(call.call_id, "callee", "b")
    for _ in range(10):
        await asyncio.gather(
            near.calls.report_media(call.call_id, MediaUp("caller")),
            far.calls.report_media(call.call_id, MediaUp("callee")),
        )
        up = (await near.calls.get(call.call_id)).progress
        assert (up.caller_up, up.callee_up, up.clock) == (True, True, "running")
        await asyncio.gather(
            near.calls.report_media(call.call_id, MediaDown("caller")),
            far.calls.report_media(call.call_id, MediaDown("callee")),
        )
        down = (await near.calls.get(call.call_id)).progress
        assert (down.caller_up, down.callee_up, down.clock) == (False, False, "paused")


async def test_an_end_is_written_once_with_concurrent_steps(
    make_site: MakeSite, site: Running, person: MakePerson
) -> None:
    near, far = (await make_site()).models, (await make_site()).models
    anna, ben = await person("Anna"), await person("Ben")
    for _ in range(10):
        call = await begin(near, anna, ben)
        await connect(near, call)
        await rows(
            near,
            "update calls set running_since = running_since - interval '1 hour', version = version + 1 "
            "where state <> 'ended'",
        )
        events: list[Event] = [
            HungUp(),
            Tick(),
            HungUp("banned"),
            SeatLost("caller", "x"),
            MediaDown("callee"),
        ]
        ends = await asyncio.gather(
            *(models.calls.apply(call.call_id, event) for models in (near, far) for event in events)
        )
        found = (await near.calls.get(call.call_id)).progress
        assert {end.progress for end in ends if end.progress.state == "ended"} == {found}
        await rows(near, "delete from cooldowns")
    counted = await rows(near, "select successful_calls from users where user_id = %s", anna.user_id)
    assert counted == [(10,)]


async def test_a_step_of_a_cached_call_costs_one_statement(models: Models, person: MakePerson) -> None:
    _, _, call = await begun(models, person)
    await connect(models, call)
    before = models.db.statements_run
    await models.calls.report_media(call.call_id, MediaDown("caller"))
    await models.calls.report_media(call.call_id, MediaUp("caller"))
    assert models.db.statements_run - before == 2
