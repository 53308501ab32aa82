"""Users are busy while in a call, and never longer, even when all calls are registered again."""

from __future__ import annotations

import asyncio

from models.ids import new_id
from models.redis import keys
from models.room import presence
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running
from tests.support import many_calls
from tests.support.scenes import rows, two

ROUNDS = 100


async def begun(models: Models, one: Person, other: Person) -> str:
    new = models.calls.new(new_id(), one.user_id, other.user_id, 300)
    assert (await models.outcomes.accept(new))[0] == "accepted"
    return new.call_id


async def busy(models: Models, person: Person) -> bytes | None:
    found: bytes | None = await models.bus.command("get", keys.busy(person.user_id))
    return found


async def test_a_call_that_ends_during_the_registration_leaves_no_user_busy(
    models: Models, person: MakePerson
) -> None:
    people = [await person(f"P{number}") for number in range(8)]
    for number in range(ROUNDS):
        calls = [await begun(models, *people[at : at + 2]) for at in range(0, 8, 2)]

        async def end(calls: list[str] = calls, pause: int = number % 12) -> None:
            for _ in range(pause):
                await models.bus.command("ping")
            for call_id in calls:
                await models.calls.hang_up(call_id)

        await asyncio.gather(models.presence.register_all(), end())
        assert [await busy(models, one) for one in people] == [None] * 8, number


async def test_users_in_a_call_are_busy_after_the_registration(models: Models, person: MakePerson) -> None:
    one, other = await person("Anna"), await person("Ben")
    call_id = await begun(models, one, other)
    assert await busy(models, one) is None
    await models.presence.register_all()
    assert await busy(models, one) == await busy(models, other) == f"call:{call_id}".encode()
    assert 0 < await models.bus.command("pttl", keys.busy(one.user_id)) <= keys.CALL_BUSY_MS


async def test_all_of_many_calls_are_registered(models: Models) -> None:
    await many_calls.make(models, presence.AT_ONCE, "p")
    await models.presence.register_all()
    assert len(await models.bus.command("keys", "ns:busy:*")) == 2 * presence.AT_ONCE


async def test_a_mark_without_a_call_is_corrected(site: Running, person: MakePerson) -> None:
    """A process died after a call ended and before it freed the users, or marked them too late."""
    pair = await two(site, person)
    models = site.models
    cleo, dana = await person("Cleo"), await person("Dana")
    live = await begun(models, cleo, dana)
    await site.invites(cleo, join=False)
    for one, call_id in ((pair.anna, new_id()), (pair.ben, live), (cleo, live)):
        await models.bus.command("set", keys.busy(one.user_id), f"call:{call_id}", "px", 3_600_000)
    await models.presence.correct()
    assert await busy(models, pair.anna) is await busy(models, pair.ben) is None
    assert await busy(models, cleo) == f"call:{live}".encode()
    ringing = await pair.ring()
    await models.presence.correct()
    assert await busy(models, pair.anna) == f"invite:{ringing}".encode()
    assert not await rows(models, "select 1 from invite_outcomes where invite_id = %s", ringing)
