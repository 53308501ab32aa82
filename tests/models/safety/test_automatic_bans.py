"""Automatic bans: which reports cause one, and which do not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from models.wiring import Models
from tests.conftest import MakePerson, MakeSite, Running
from tests.support.factories import end_access
from tests.support.people.reports import MODERATOR, bans_of, experienced, met, report, reporters
from tests.support.scenes import rows


async def test_the_fourth_report_causes_a_ban_and_the_third_does_not(
    models: Models, person: MakePerson
) -> None:
    bad = await person("Bad")
    people = await reporters(models, person, bad, 4)
    for one in people[:3]:
        await report(models, one, bad)
    assert await bans_of(models, bad) == []
    await report(models, people[3], bad)
    assert await bans_of(models, bad) == [("temporary", True)]
    assert await rows(models, "select count(*) from ban_reports") == [(4,)]
    assert await models.sessions.find(bad.token) is None


async def test_twenty_concurrent_reports_cause_one_ban(
    site: Running, person: MakePerson, make_site: MakeSite
) -> None:
    far, bad = await make_site(), await person("Bad")
    people = await reporters(site.models, person, bad, 20)
    halves = [(site.models if number % 2 else far.models, one) for number, one in enumerate(people)]
    await asyncio.gather(*(report(models, one, bad) for models, one in halves))
    assert await bans_of(site.models, bad) == [("temporary", True)]
    assert await rows(site.models, "select count(*) from reports") == [(20,)]
    assert await rows(site.models, "select count(*) from ban_reports") == [(4,)]


async def test_reports_from_cards_never_count(models: Models, person: MakePerson) -> None:
    bad = await person("Bad")
    for number in range(6):
        await report(models, await person(f"Viewer {number}", selfie=False), bad)
    assert await bans_of(models, bad) == []


async def test_one_fee_does_not_ban(models: Models, person: MakePerson) -> None:
    """A payer and the four users of the payer's code, at one address; the user has rung each of them."""
    bad, people = await person("Honest"), [await person("Payer", selfie=False)]
    for number in range(4):
        people.append(await person(f"Friend {number}", selfie=False))
    for one in people:
        await met(models, one, bad)
        await report(models, one, bad)
    assert await bans_of(models, bad) == []
    (fifth,) = await reporters(models, person, bad, 1)
    await experienced(models, *people)
    await report(models, fifth, bad)
    assert await bans_of(models, bad) == [("temporary", True)]


async def test_an_invite_tree_has_one_vote(models: Models, person: MakePerson) -> None:
    bad = await person("Honest")
    payer, *friends = await reporters(models, person, bad, 5)
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(payer.user_id, on=on)
    own = await models.invite_codes.find_own(payer.user_id)
    assert own is not None
    for friend in friends:
        await end_access(models, friend)
        await models.invite_codes.redeem(own.code, friend.user_id)
    for one in (payer, *friends):
        await report(models, one, bad)
    assert await bans_of(models, bad) == []


async def test_a_dismissed_report_halves_the_weight(models: Models, person: MakePerson) -> None:
    bad, ben = await person("Bad"), await person("Ben")
    people = await reporters(models, person, bad, 5)
    await met(models, people[0], ben)
    await report(models, people[0], ben)
    (false,) = await models.report_reviews.queue()
    await models.report_reviews.judge(false.report_id, MODERATOR, "dismissed")
    for one in people[:4]:
        await report(models, one, bad)
    assert await bans_of(models, bad) == []
    await report(models, people[4], bad)
    assert await bans_of(models, bad) == [("temporary", True)]


async def test_a_report_counts_in_one_automatic_ban(models: Models, person: MakePerson) -> None:
    models.clock.freeze(models.clock.now())
    bad = await person("Bad")
    people = await reporters(models, person, bad, 8)
    for one in people[:4]:
        await report(models, one, bad)
    (until,) = (await rows(models, "select until_at - created_at from bans"))[0]
    assert until == timedelta(days=1)
    models.clock.advance(days=1, seconds=1)
    for one in people[4:7]:
        await report(models, one, bad)
    assert len(await bans_of(models, bad)) == 1
    await report(models, people[7], bad)
    assert [stands for _, stands in await bans_of(models, bad)] == [False, True]
