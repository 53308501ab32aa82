"""A rule that takes effect at the moment of an invite: no ring is left that breaks it."""

from __future__ import annotations

import asyncio
import random

from models.messages import CallDeclined, CallRinging
from models.security.member import Member
from tests.conftest import MakePerson, Person, Running
from tests.races.test_ring_races import CLEAN
from tests.support.scenes import rows, two


async def member(site: Running, person: Person) -> Member:
    found = await site.models.sessions.again(person.session_id)
    assert found is not None
    return found


async def pause(site: Running) -> None:
    """The race's own jitter."""
    for _ in range(random.randrange(8)):
        await site.models.bus.command("ping")


async def test_a_block_at_the_moment_of_an_invite(
    site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    pair = await two(site, person)
    anna, ben = await member(site, pair.anna), pair.ben.user_id

    async def block() -> None:
        await pause(site)
        await site.models.blocks.block(ben, anna.user_id)

    for number in range(number_of_rounds):
        await asyncio.gather(site.models.invites.invite(anna, "socket", ben, 300, None), block())
        assert await site.models.rings.of(ben) is None, number
        await site.models.blocks.unblock(ben, anna.user_id)
        await rows(site.models, CLEAN)


async def test_a_cooldown_at_the_moment_of_an_invite(
    site: Running, person: MakePerson, number_of_rounds: int
) -> None:
    pair = await two(site, person)
    anna, ben = await member(site, pair.anna), await member(site, pair.ben)
    invites = site.models.invites
    for number in range(number_of_rounds):
        rung = await invites.invite(anna, "socket", ben.user_id, 300, None)
        assert isinstance(rung, CallRinging)

        async def again() -> object:
            await pause(site)
            return await invites.invite(anna, "other", ben.user_id, 300, None)

        declining = site.models.answers.decline(ben, "socket", rung.invite_id, None)
        declined, told = await asyncio.gather(declining, again())
        assert declined
        assert isinstance(told, CallDeclined), (number, told)
        assert await site.models.rings.of(ben.user_id) is None
        await rows(site.models, CLEAN)
