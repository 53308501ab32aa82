"""The site's secret: what a dump gives away, and what stays valid when SECRET_KEY is replaced."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from models.errors import Banned, NotFound, NotSignedIn
from models.safety.bans import NewBan
from models.security.audit_log import OPERATOR
from models.security.site_secret import WrongSecretKey
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakePerson, MakeSite
from tests.support.people.staff import Worker, enrolled
from tests.support.scenes import rows
from tests.support.servers import Servers

OLD, NEW = "an older key with 32 characters!", "a newer key with 32 characters!!"
HOME = "203.0.113.77"
EMAIL = "bad@example.com"


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, secret_key=OLD)


@asynccontextmanager
async def process(models: Models, servers: Servers, key: str | None, *previous: str) -> AsyncIterator[Models]:
    """Another process of the site, with these keys."""
    config = replace(models.config, secret_key=key, secret_key_previous=previous)
    opened = await Models.open(config, servers.database_url, servers.redis_url)
    opened.clock.freeze(models.clock.now())
    try:
        yield opened
    finally:
        await opened.close()


class Traces:
    """What was written with the first key: a member of staff, and a banned user who was deleted."""

    worker: Worker
    appeal: str
    token: str

    @classmethod
    async def left(cls, models: Models, person: MakePerson) -> Traces:
        self = cls()
        models.clock.freeze(models.clock.now())
        self.worker, _ = await enrolled(models, "Mia", "admin")
        good, bad = await person("Good"), await person("Bad")
        self.token = good.token
        member = await models.sessions.find(bad.token)
        assert member
        await models.accounts.upgrade(member, EMAIL, "four quiet purple lanterns", HOME)
        await models.address_bans.saw(bad.user_id, HOME)
        await models.marks.saw(bad.user_id, "a device")
        new = NewBan(user_id=bad.user_id, rule="spam", reason="Spam.", with_addresses=True)
        ban = await models.bans.decide(new, self.worker.staff_id)
        self.appeal = await models.ban_notices.token(ban.ban_id)
        async with models.db.transaction() as on:
            await models.email_bans.keep(bad.user_id, on=on)
        with pytest.raises(NotSignedIn):
            async with models.rate_limits.attempt("somebody@example.com", HOME):
                raise NotSignedIn
        return self

    async def are_valid(self, models: Models) -> None:
        models.clock.advance(seconds=30)
        seed = str((await rows(models, "select totp_seed from staff"))[0][0])
        assert await models.second_factors.step_of(seed, self.worker.digits(models))
        assert await models.sessions.find(self.token)
        assert (await models.appeals.get(self.appeal)).reason == "Spam."
        with pytest.raises(Banned):
            await models.address_bans.check(HOME)
        async with models.db.transaction() as on:
            assert await models.email_bans.is_banned(EMAIL, on=on)


async def dump(models: Models) -> str:
    """All rows of all tables as text, bytes in hexadecimal."""
    tables = await rows(models, "select tablename from pg_tables where schemaname = 'public'")
    texts = [await rows(models, f'select t::text from "{table}" t') for (table,) in tables]
    return "\n".join(line for text in texts for (line,) in text)


async def test_a_key_is_replaced_and_everything_stays_valid(
    models: Models, servers: Servers, person: MakePerson
) -> None:
    traces = await Traces.left(models, person)
    await traces.are_valid(models)
    async with process(models, servers, NEW, OLD) as between:
        await traces.are_valid(between)
        assert await between.site_secret.rotate(OPERATOR)
        assert not await between.site_secret.rotate(OPERATOR)
        await traces.are_valid(between)
    async with process(models, servers, NEW) as after:
        await traces.are_valid(after)
    async with process(models, servers, OLD, NEW) as late:
        # A process that has not been restarted with the new settings yet.
        await traces.are_valid(late)
    actions = [one.action for one in await models.audit.page()]
    assert actions.count("secret.rotate") == 1


async def test_a_dump_gives_neither_second_factors_nor_addresses_away(
    models: Models, servers: Servers, person: MakePerson
) -> None:
    traces = await Traces.left(models, person)
    text = await dump(models)
    secret = await models.site_secret.open()
    for private in (OLD, secret, traces.worker.secret, HOME, "203.0.113", "somebody@example.com"):
        assert private not in text
    # No value in the database is the key of the marks, nor is there one without a key.
    (mark,) = (await rows(models, "select address_hash from seen_addresses"))[0]
    values = [str(value) for (value,) in await rows(models, "select value from secrets")]
    for key in (*values, ""):
        derived = hmac.digest(key.encode(), b"address", hashlib.sha256)
        assert hmac.digest(derived, HOME.encode(), hashlib.sha256) != bytes(mark)
    assert hashlib.sha256(HOME.encode()).hexdigest() not in text


@pytest.mark.parametrize(("key", "words"), [(None, "SECRET_KEY is needed"), (NEW, "SECRET_KEY_PREVIOUS")])
async def test_a_wrong_key_is_named(models: Models, servers: Servers, key: str | None, words: str) -> None:
    await models.site_secret.open()
    async with process(models, servers, key) as other:
        with pytest.raises(WrongSecretKey, match=words):
            await other.site_secret.open()


async def test_a_site_with_a_wrong_key_does_not_start(models: Models, make_site: MakeSite) -> None:
    await models.site_secret.open()
    site = await make_site(secret_key=NEW)
    with pytest.raises(WrongSecretKey, match="SECRET_KEY_PREVIOUS"):
        await site.site.start()


async def test_a_generated_secret_is_encrypted_once_there_is_a_key(models: Models, servers: Servers) -> None:
    async with process(models, servers, None) as before:
        generated = await before.site_secret.open()
        assert generated in await dump(models)
    assert await models.site_secret.open() == generated
    assert generated not in await dump(models)


async def test_what_was_made_with_the_key_itself_stays_valid(models: Models) -> None:
    """As a database is after the migration of a site that has been used."""
    await rows(models, "insert into secrets (name, value) values ('adopt', '')")
    assert await models.site_secret.open() == OLD
    assert "adopt" not in await dump(models)


async def test_processes_that_start_at_once_agree(models: Models, servers: Servers) -> None:
    async with process(models, servers, OLD) as one, process(models, servers, OLD) as other:
        opened = await asyncio.gather(*(each.site_secret.open() for each in (models, one, other)))
    assert len(set(opened)) == 1


async def test_a_new_secret_leaves_no_mark_of_the_old_one(models: Models, person: MakePerson) -> None:
    traces = await Traces.left(models, person)
    (ban_id,) = (await rows(models, "select ban_id::text from bans"))[0]
    await models.site_secret.replace(OPERATOR)
    await models.ban_notices.renew_links()
    await models.address_bans.check(HOME)
    for table in ("seen_addresses", "seen_devices", "address_bans", "banned_emails", "guesses"):
        assert await rows(models, f"select count(*) from {table}") == [(0,)]
    with pytest.raises(NotFound):
        await models.appeals.get(traces.appeal)
    assert await models.appeals.get(await models.ban_notices.token(ban_id))
    seed = str((await rows(models, "select totp_seed from staff"))[0][0])
    models.clock.advance(seconds=30)
    assert not await models.second_factors.step_of(seed, traces.worker.digits(models))


async def test_a_lost_key_is_replaced_by_a_new_secret(models: Models, servers: Servers) -> None:
    await models.site_secret.open()
    async with process(models, servers, NEW) as other:
        await other.site_secret.replace(OPERATOR)
        assert await other.site_secret.open()
