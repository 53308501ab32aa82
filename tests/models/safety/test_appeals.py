"""Appeals: once, by a token, decided by somebody else than the ban."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.safety.ban_notices import hash_of
from models.safety.bans import Ban, NewBan
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.reports import MODERATOR, OTHER_MODERATOR, bans_of
from tests.support.scenes import rows, stand_still, until


async def banned(models: Models, person: MakePerson) -> tuple[str, str, str]:
    """(ban id, the token to appeal with, the session's token) of somebody MODERATOR has banned."""
    bad = await person("Bad")
    ban = await models.bans.decide(NewBan(user_id=bad.user_id, rule="spam", reason="Adverts."), MODERATOR)
    return ban.ban_id, await models.ban_notices.token(ban.ban_id), bad.token


async def test_a_token_appeals_once(models: Models, person: MakePerson) -> None:
    _, token, _ = await banned(models, person)
    results = await asyncio.gather(
        *(models.appeals.file(token, "Not me.") for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in results) == 4
    appeal = await models.appeals.get(token)
    assert (appeal.text, appeal.reason, appeal.verdict) == ("Not me.", "Adverts.", None)
    assert [one.text for one in await models.appeals.queue()] == ["Not me."]


async def test_only_a_hash_of_the_token_is_kept(models: Models, person: MakePerson) -> None:
    _, token, _ = await banned(models, person)
    ((kept,),) = await rows(models, "select row_to_json(bans)::text from bans")
    assert token not in kept


async def test_an_unknown_token_and_empty_words_are_refused(models: Models, person: MakePerson) -> None:
    _, token, _ = await banned(models, person)
    with pytest.raises(NotFound):
        await models.appeals.file("unknown", "Not me.")
    for words in (" ", "\u200b\u2060", "a" * 2001):
        with pytest.raises(Invalid):
            await models.appeals.file(token, words)


async def test_whoever_banned_does_not_decide(models: Models, person: MakePerson) -> None:
    ban_id, token, session = await banned(models, person)
    await models.appeals.file(token, "Not me.")
    with pytest.raises(NotAllowed):
        await models.appeals.decide(ban_id, MODERATOR, "overturned", "")
    await models.appeals.decide(ban_id, OTHER_MODERATOR, "overturned", "Sorry.")
    assert (await models.admission.of(session)).member is not None
    appeal = await models.appeals.get(token)
    assert (appeal.is_over, appeal.reply) == (True, "Sorry.")


async def test_whoever_made_it_permanent_after_the_appeal_does_not_either(
    models: Models, person: MakePerson
) -> None:
    ban_id, token, _ = await banned(models, person)
    await models.appeals.file(token, "Not me.")
    await models.bans.make_permanent(ban_id, OTHER_MODERATOR, "It was you.")
    with pytest.raises(NotAllowed):
        await models.appeals.decide(ban_id, OTHER_MODERATOR, "upheld", "")


async def test_whoever_decides_while_it_is_being_filed_does_not_either(
    models: Models, person: MakePerson
) -> None:
    """The decision waits for the appeal that is under way, and then finds it."""
    ban_id, token, _ = await banned(models, person)
    words = {"appeal_hash": hash_of(token), "text": "Not me.", "now": None}
    async with models.db.transaction() as on:
        await models.appeals._sql.run("file", on=on, **words)
        deciding = asyncio.ensure_future(models.bans.make_permanent(ban_id, OTHER_MODERATOR, "It was you."))
        await until(lambda: is_over_or_waits(models, deciding))
    await deciding
    with pytest.raises(NotAllowed):
        await models.appeals.decide(ban_id, OTHER_MODERATOR, "upheld", "")
    await models.appeals.decide(ban_id, MODERATOR, "upheld", "")


async def is_over_or_waits(models: Models, work: asyncio.Future[Ban]) -> bool:
    waits = await rows(models, "select exists (select from pg_locks where not granted)")
    return work.done() or waits == [(True,)]


async def test_nobody_gets_around_an_appeal_by_another_ban(models: Models, person: MakePerson) -> None:
    ban_id, token, _ = await banned(models, person)
    new = NewBan(user_id=(await models.bans.get(ban_id)).user_id, rule="fake", reason="A mask.")
    await models.appeals.file(token, "Not me.")
    with pytest.raises(Conflict, match="appeal"):
        await models.bans.decide(new, MODERATOR)
    assert [one.ban_id for one in await models.appeals.queue()] == [ban_id]
    await models.appeals.decide(ban_id, OTHER_MODERATOR, "upheld", "It stays.")
    await models.bans.decide(new, MODERATOR)


async def test_an_appeal_against_a_ban_that_has_run_out_stops_no_new_one(
    models: Models, person: MakePerson
) -> None:
    stand_still(models)
    bad = await person("Bad")
    until_at = models.clock.now() + timedelta(hours=1)
    new = NewBan(user_id=bad.user_id, rule="spam", reason="Adverts.", until=until_at)
    ban = await models.bans.decide(new, MODERATOR)
    await models.appeals.file(await models.ban_notices.token(ban.ban_id), "Not me.")
    models.clock.advance(hours=2)
    await models.bans.decide(replace(new, until=None), MODERATOR)
    assert await bans_of(models, bad) == [("temporary", False), ("permanent", True)]


async def test_one_decision_counts(models: Models, person: MakePerson) -> None:
    ban_id, token, _ = await banned(models, person)
    bad = (await models.bans.get(ban_id)).user_id
    with pytest.raises(Conflict):
        await models.appeals.decide(ban_id, OTHER_MODERATOR, "upheld", "")
    await models.appeals.file(token, "Not me.")
    await models.appeals.decide(ban_id, OTHER_MODERATOR, "upheld", "It stays.")
    with pytest.raises(Conflict):
        await models.appeals.decide(ban_id, OTHER_MODERATOR, "overturned", "")
    assert await rows(models, "select user_id from bans where lifted_at is null") == [(bad,)]
    assert await models.appeals.queue() == []


async def test_a_ban_that_is_over_takes_no_appeal(models: Models, person: MakePerson) -> None:
    ban_id, token, _ = await banned(models, person)
    await models.bans.lift(ban_id, MODERATOR, "My mistake.")
    with pytest.raises(Conflict):
        await models.appeals.file(token, "Not me.")
    assert (await models.appeals.get(token)).is_over
