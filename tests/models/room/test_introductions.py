"""Introductions: the link, accepting it, and what the two users see afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.errors import Conflict, NotFound
from models.wiring import Models
from tests.conftest import MakePerson, Person
from tests.support.factories import deleted
from tests.support.people.reports import report
from tests.support.scenes import ban


async def trio(person: MakePerson) -> list[Person]:
    """[introducer, person on the card, newcomer]"""
    return [await person("Ann"), await person("Ben", gender="male"), await person("Cleo")]


async def introduced(models: Models, ann: Person, ben: Person, cleo: Person) -> None:
    link = await models.introductions.make_link(ann.user_id, ben.user_id)
    await models.introductions.accept(link.token, cleo.user_id)


async def test_only_the_two_see_who_introduced_them(models: Models, person: MakePerson) -> None:
    ann, ben, cleo = await trio(person)
    await introduced(models, ann, ben, cleo)
    seen = await models.introductions.seen_by(cleo.user_id)
    assert {other: by.name for other, by in seen.items()} == {ben.user_id: "Ann"}
    assert list(await models.introductions.seen_by(ben.user_id)) == [cleo.user_id]
    assert await models.introductions.seen_by(ann.user_id) == {}


async def test_a_pair_is_introduced_once_in_either_direction(models: Models, person: MakePerson) -> None:
    ann, ben, cleo = await trio(person)
    dan = await person("Dan")
    await introduced(models, ann, ben, cleo)
    await introduced(models, ann, ben, cleo)
    await introduced(models, dan, ben, cleo)
    await introduced(models, dan, cleo, ben)
    assert {by.name for by in (await models.introductions.seen_by(cleo.user_id)).values()} == {"Ann"}
    assert len(await models.introductions.seen_by(ben.user_id)) == 1


async def test_a_link_is_reused_until_it_expires(models: Models, person: MakePerson) -> None:
    ann, ben, cleo = await trio(person)
    models.clock.freeze(datetime(2026, 9, 21, tzinfo=UTC))
    first = await models.introductions.make_link(ann.user_id, ben.user_id)
    models.clock.advance(days=6)
    again = await models.introductions.make_link(ann.user_id, ben.user_id)
    assert (again.token, again.expires_at > first.expires_at) == (first.token, True)
    assert await models.introductions.find_link(ann.user_id, ben.user_id) == again
    models.clock.advance(days=8)
    assert await models.introductions.find(first.token) is None
    with pytest.raises(NotFound):
        await models.introductions.accept(first.token, cleo.user_id)
    assert (await models.introductions.make_link(ann.user_id, ben.user_id)).token != first.token
    assert (await models.introductions.make_link(cleo.user_id, ben.user_id)).token != first.token


async def test_an_introduction_is_shown_for_a_limited_time(models: Models, person: MakePerson) -> None:
    ann, ben, cleo = await trio(person)
    models.clock.freeze(datetime(2026, 9, 21, tzinfo=UTC))
    await introduced(models, ann, ben, cleo)
    models.clock.advance(days=6)
    assert await models.introductions.seen_by(cleo.user_id)
    models.clock.advance(days=2)
    assert await models.introductions.seen_by(cleo.user_id) == {}


@pytest.mark.parametrize("token", ["", "nothing", "\x00", "a" * 21 + "\x00", "\ud800", "a" * 5000])
async def test_invalid_tokens_are_not_found(models: Models, person: MakePerson, token: str) -> None:
    cleo = await person("Cleo")
    assert await models.introductions.find(token) is None
    with pytest.raises(NotFound):
        await models.introductions.accept(token, cleo.user_id)


async def test_the_introducer_and_the_person_cannot_accept_the_link(
    models: Models, person: MakePerson
) -> None:
    ann, ben, _ = await trio(person)
    link = await models.introductions.make_link(ann.user_id, ben.user_id)
    for own in (ann, ben):
        with pytest.raises(Conflict):
            await models.introductions.accept(link.token, own.user_id)
    for wrong in (ann.user_id, "x", "00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFound):
            await models.introductions.make_link(ann.user_id, wrong)


async def test_a_block_prevents_an_introduction(models: Models, person: MakePerson) -> None:
    ann, ben, cleo = await trio(person)
    link = await models.introductions.make_link(ann.user_id, ben.user_id)
    await models.blocks.block(ben.user_id, cleo.user_id)
    await models.introductions.accept(link.token, cleo.user_id)
    assert await models.introductions.seen_by(cleo.user_id) == {}
    await models.blocks.block(ann.user_id, ben.user_id)
    assert await models.introductions.find(link.token) is None
    with pytest.raises(NotFound):
        await models.introductions.make_link(ann.user_id, ben.user_id)


@pytest.mark.parametrize("how", ["block", "report"])
async def test_a_blocked_introducer_notices_nothing_and_the_link_has_no_effect(
    models: Models, person: MakePerson, how: str
) -> None:
    """Everything looks as if the person were offline."""
    ann, ben, cleo = await trio(person)
    if how == "block":
        await models.blocks.block(ben.user_id, ann.user_id)
    else:
        await report(models, ben, ann)
    link = await models.introductions.make_link(ann.user_id, ben.user_id)
    assert await models.introductions.find_link(ann.user_id, ben.user_id) == link
    found = await models.introductions.accept(link.token, cleo.user_id)
    assert (found.introducer_name, found.person_name) == ("Ann", "Ben")
    assert await models.introductions.seen_by(cleo.user_id) == {}
    assert await models.introductions.seen_by(ben.user_id) == {}


async def test_an_introducer_is_not_named_to_users_with_a_block(models: Models, person: MakePerson) -> None:
    ann, ben, cleo = await trio(person)
    await introduced(models, ann, ben, cleo)
    await models.blocks.block(ann.user_id, cleo.user_id)
    assert await models.introductions.seen_by(cleo.user_id) == {}
    assert await models.introductions.seen_by(ben.user_id)


@pytest.mark.parametrize("gone", ["deleted", "banned"])
async def test_deleted_and_banned_users_introduce_no_one(
    models: Models, person: MakePerson, gone: str
) -> None:
    ann, ben, cleo = await trio(person)
    link = await models.introductions.make_link(ann.user_id, ben.user_id)
    await introduced(models, ann, ben, cleo)
    leave = deleted if gone == "deleted" else ban
    await leave(models, ann)
    assert await models.introductions.find(link.token) is None
    assert await models.introductions.seen_by(cleo.user_id) == {}
    await leave(models, ben)
    with pytest.raises(NotFound):
        await models.introductions.make_link(cleo.user_id, ben.user_id)
