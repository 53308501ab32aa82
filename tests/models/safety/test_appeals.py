"""Appeals: once per ban, by a token, decided by another moderator."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from models.errors import Conflict, Invalid, NotAllowed, NotFound
from models.safety.bans import Ban, NewBan
from models.security.tokens import hash_of
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.reports import MODERATOR, OTHER_MODERATOR, bans_of
from tests.support.scenes import rows, stand_still, until


async def banned(models: Models, person: MakePerson) -> tuple[str, str, str]:
    """(ban id, token for the appeal, session token) of a user whom MODERATOR has banned."""
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
    assert await rows(models, "select kind, path from alerts") == [("appeal", "/admin/appeals")]


async def test_only_a_hash_of_the_token_is_stored(models: Models, person: MakePerson) -> None:
    _, token, _ = await banned(models, person)
    ((kept,),) = await rows(models, "select row_to_json(bans)::text from bans")
    assert token not in kept


async def test_an_unknown_token_and_an_empty_text_are_rejected(models: Models, person: MakePerson) -> None:
    _, token, _ = await banned(models, person)
    with pytest.raises(NotFound):
        await models.appeals.file("unknown", "Not me.")
    for words in (" ", "\u200b\u2060", "a" * 2001):
        with pytest.raises(Invalid):
            await models.appeals.file(token, words)


async def test_the_moderator_of_the_ban_cannot_decide(models: Models, person: MakePerson) -> None:
    ban_id, token, session = await banned(models, person)
    await models.appeals.file(token, "Not me.")
    with pytest.raises(NotAllowed):
        await models.appeals.decide(ban_id, MODERATOR, "overturned", "")
    await models.appeals.decide(ban_id, OTHER_MODERATOR, "overturned", "Sorry.")
    assert (await models.admission.of(session)).member is not None
    appeal = await models.appeals.get(token)
    assert (appeal.is_over, appeal.reply) == (True, "Sorry.")


async def test_the_moderator_who_made_it_permanent_cannot_decide(models: Models, person: MakePerson) -> None:
    ban_id, token, _ = await banned(models, person)
    await models.appeals.file(token, "Not me.")
    await models.bans.make_permanent(ban_id, OTHER_MODERATOR, "It was you.")
    with pytest.raises(NotAllowed):
        await models.appeals.decide(ban_id, OTHER_MODERATOR, "upheld", "")


async def test_a_moderator_who_acts_while_it_is_filed_cannot_decide(
    models: Models, person: MakePerson
) -> None:
    """The decision waits for the transaction of the appeal and then reads it."""
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


async def test_a_new_ban_cannot_bypass_an_appeal(models: Models, person: MakePerson) -> None:
    ban_id, token, _ = await banned(models, person)
    new = NewBan(user_id=(await models.bans.get(ban_id)).user_id, rule="fake", reason="A mask.")
    await models.appeals.file(token, "Not me.")
    with pytest.raises(Conflict, match="appeal"):
        await models.bans.decide(new, MODERATOR)
    assert [one.ban_id for one in await models.appeals.queue()] == [ban_id]
    await models.appeals.decide(ban_id, OTHER_MODERATOR, "upheld", "It stays.")
    await models.bans.decide(new, MODERATOR)


async def test_an_expired_ban_cannot_be_made_permanent_and_its_appeal_leaves_the_queue(
    models: Models, person: MakePerson
) -> None:
    stand_still(models)
    bad = await person("Bad")
    until_at = models.clock.now() + timedelta(hours=1)
    ban = await models.bans.decide(
        NewBan(user_id=bad.user_id, rule="spam", reason="Adverts.", until=until_at), MODERATOR
    )
    await models.appeals.file(await models.ban_notices.token(ban.ban_id), "Not me.")
    assert [one.ban_id for one in await models.appeals.queue()] == [ban.ban_id]
    models.clock.advance(hours=1, seconds=1)
    assert await models.appeals.queue() == []
    with pytest.raises(Conflict, match="ended"):
        await models.bans.make_permanent(ban.ban_id, MODERATOR, "It was.")
    assert (await models.bans.get(ban.ban_id)).kind == "temporary"


async def test_an_appeal_against_an_expired_ban_does_not_prevent_a_new_one(
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


async def test_an_ended_ban_accepts_no_appeal(models: Models, person: MakePerson) -> None:
    ban_id, token, _ = await banned(models, person)
    await models.bans.lift(ban_id, MODERATOR, "My mistake.")
    with pytest.raises(Conflict):
        await models.appeals.file(token, "Not me.")
    assert (await models.appeals.get(token)).is_over
