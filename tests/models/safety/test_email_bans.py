"""A deleted user with an active ban: their e-mail address cannot open a new account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.accounts.accounts import TAKEN
from models.errors import Conflict
from models.safety.bans import NewBan
from models.wiring import Models
from tests.conftest import MakePerson, Person
from tests.support.people.account_holders import PASSWORD
from tests.support.people.reports import MODERATOR
from tests.support.scenes import rows, stand_still

EMAIL = "ann@example.com"


async def keep_account(models: Models, one: Person, email: str = EMAIL) -> None:
    member = await models.sessions.find(one.token)
    assert member is not None
    await models.accounts.upgrade(member, email, PASSWORD, "192.0.2.1")


async def banned_and_deleted(models: Models, ann: Person, hours: int | None = None) -> str:
    """The id of the ban."""
    until = models.clock.now() + timedelta(hours=hours) if hours else None
    new = NewBan(user_id=ann.user_id, rule="spam", reason="Adverts.", until=until)
    ban = await models.bans.decide(new, MODERATOR)
    await models.deletions.delete(ann.user_id, "operator")
    return ban.ban_id


async def test_a_banned_address_looks_like_a_taken_one(models: Models, person: MakePerson) -> None:
    ann, again = await person("Ann"), await person("Ann again")
    await keep_account(models, ann)
    await banned_and_deleted(models, ann)
    with pytest.raises(Conflict, match="exists already") as refused:
        await keep_account(models, again, "Ann@Example.com")
    assert refused.value.fields == {"email": TAKEN}
    await keep_account(models, again, "other@example.com")
    (account,) = await rows(models, "select email_key from accounts")
    assert account == ("other@example.com",)


async def test_an_account_cannot_change_to_a_banned_address(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    await keep_account(models, ann)
    await keep_account(models, bo, "bo@example.com")
    await banned_and_deleted(models, ann)
    (session_id,) = (await rows(models, "select session_id from sessions where ended_at is null"))[0]
    member = await models.sessions.again(session_id)
    assert member is not None
    with pytest.raises(Conflict):
        await models.credentials.email(member, PASSWORD, EMAIL, "192.0.2.2")


async def test_only_a_hash_is_stored_and_it_ends_with_the_ban(models: Models, person: MakePerson) -> None:
    stand_still(models)
    ann, bo = await person("Ann"), await person("Bo")
    await keep_account(models, ann)
    await banned_and_deleted(models, ann, hours=24)
    ((kept,),) = await rows(models, "select email_hash from banned_emails")
    assert len(bytes(kept)) == 32
    assert EMAIL.encode() not in bytes(kept)
    await models.retention.sweep()
    assert len(await rows(models, "select 1 from banned_emails")) == 1
    models.clock.advance(hours=25)
    await keep_account(models, bo)
    await models.retention.sweep()
    assert await rows(models, "select 1 from banned_emails") == []


async def test_without_a_ban_nothing_is_stored(models: Models, person: MakePerson) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    await keep_account(models, ann)
    await models.deletions.delete(ann.user_id)
    assert await rows(models, "select 1 from banned_emails") == []
    await keep_account(models, bo)


async def test_bans_that_will_not_be_decided_expire(models: Models, person: MakePerson) -> None:
    stand_still(models)
    ann, bo = await person("Ann"), await person("Bo")
    await keep_account(models, ann)
    async with models.db.transaction() as on:
        await models.bans.suspend(ann.user_id, "spam", (), on=on)
    await models.deletions.delete(ann.user_id, "operator")
    with pytest.raises(Conflict):
        await keep_account(models, bo)
    models.clock.advance(days=models.config.report_days + 2)
    await models.retention.sweep()
    assert await rows(models, "select 1 from bans") == []
    assert await rows(models, "select 1 from banned_emails") == []
