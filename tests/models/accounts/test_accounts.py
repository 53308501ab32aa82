"""Accounts: the same user with a new token, one session at a time, one account per address."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from models.accounts.accounts import Account
from models.errors import Banned, Conflict, Invalid, NotSignedIn, TooMany
from models.security.member import Member
from models.security.passwords import Passwords
from models.wiring import Models
from tests.conftest import MakePerson, Person
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD, QUICK
from tests.support.scenes import ban

HOME, AWAY = "203.0.113.7", "198.51.100.9"
ANN = "ann@example.com"


async def member_of(models: Models, person: Person) -> Member:
    member = await models.sessions.find(person.token)
    assert member is not None
    return member


async def keep(models: Models, person: Person, email: str = ANN, address: str = HOME) -> Member:
    upgraded = await models.accounts.upgrade(await member_of(models, person), email, PASSWORD, address)
    return upgraded.signed_in.member


async def text_of(models: Models, table: str) -> str:
    async with models.db.link() as link:
        await link.execute(f"select coalesce(string_agg(t::text, ' '), '') from {table} t")
        return str((link.cursor.fetchone())[0])


async def failures(models: Models) -> int:
    async with models.db.link() as link:
        await link.execute("select count(*) from guesses")
        return int((link.cursor.fetchone())[0])


async def test_a_guest_stays_the_same_person(models: Models, person: MakePerson) -> None:
    guest = await person("Ann", access="payment")
    before = await member_of(models, guest)
    upgraded = await models.accounts.upgrade(before, ANN, PASSWORD, HOME)
    after = upgraded.signed_in.member
    assert after.is_account
    assert not before.is_account
    assert (after.user_id, after.session_id, after.access) == (guest.user_id, guest.session_id, "paid")
    assert await models.sessions.find(guest.token) is None
    assert await models.sessions.find(upgraded.signed_in.token) == after
    assert await models.sessions.again(guest.session_id) == after
    assert len(set(upgraded.recovery_codes)) == 8


async def test_an_account_session_is_renewed_for_thirty_days(models: Models, person: MakePerson) -> None:
    guest = await person("Ann", access="payment")
    models.clock.freeze(models.clock.now())
    member = await keep(models, guest)
    assert member.expires_at == models.clock.now() + timedelta(days=30)
    models.clock.advance(days=29)
    assert (await models.sessions.again(member.session_id)) is not None
    renewed = await models.sessions.again(member.session_id)
    assert renewed is not None
    assert renewed.expires_at == models.clock.now() + timedelta(days=30)
    models.clock.advance(days=30)
    assert await models.sessions.again(member.session_id) is None


async def test_an_address_belongs_to_one_account(models: Models, person: MakePerson) -> None:
    await keep(models, await person("Ann"))
    bo = await person("Bo")
    with pytest.raises(Conflict) as refused:
        await keep(models, bo, " ANN@Example.com")
    assert set(refused.value.fields or {}) == {"email"}
    assert not (await member_of(models, bo)).is_account
    assert (await keep(models, bo, "bo@example.com")).is_account


async def test_enumerating_accounts_is_limited(models: Models, person: MakePerson) -> None:
    await keep(models, await person("Ann"))
    bo = await person("Bo")
    for _ in range(QUICK.sign_in_failures_per_address):
        with pytest.raises(Conflict):
            await keep(models, bo)
    with pytest.raises(TooMany):
        await keep(models, bo)
    member = await models.sessions.find(bo.token)
    assert member is not None
    with pytest.raises(TooMany):  # before anything is hashed, or judged, which takes its time as well
        await models.accounts.upgrade(member, "bo@example.com", "password1234", HOME)


async def test_many_upgrades_at_once_make_one_account(models: Models, person: MakePerson) -> None:
    people = [await person(f"P{n}") for n in range(6)]
    results = await asyncio.gather(*[keep(models, one) for one in people], return_exceptions=True)
    assert sum(isinstance(one, Member) for one in results) == 1
    assert sum(isinstance(one, Conflict) for one in results) == 5


async def test_an_account_is_not_upgraded_again(models: Models, person: MakePerson) -> None:
    guest = await person("Ann")
    member = await keep(models, guest)
    with pytest.raises(Conflict):
        await models.accounts.upgrade(member, "other@example.com", PASSWORD, HOME)
    with pytest.raises(Conflict):
        await models.accounts.upgrade(replace_account(member), "other@example.com", PASSWORD, HOME)


def replace_account(member: Member) -> Member:
    """The member as the second of two concurrent requests saw it."""
    return Member(
        **{name: getattr(member, name) for name in Member.__struct_fields__} | {"is_account": False}
    )


async def test_no_secret_is_stored_in_plain_text(models: Models, person: MakePerson) -> None:
    upgraded = await models.accounts.upgrade(
        await member_of(models, await person("Ann")), ANN, PASSWORD, HOME
    )
    with pytest.raises(NotSignedIn):
        await models.accounts.login(ANN, OTHER_PASSWORD, HOME, None)
    tables = ["accounts", "recovery_codes", "sessions", "guesses"]
    text = " ".join([await text_of(models, table) for table in tables])
    for secret in [PASSWORD, OTHER_PASSWORD, upgraded.signed_in.token, *upgraded.recovery_codes]:
        assert secret not in text
        assert secret.replace("-", "") not in text
        assert secret.replace("-", "").encode().hex() not in text
    assert ANN not in await text_of(models, "guesses")


async def test_signing_in_ends_the_other_sessions(models: Models, person: MakePerson) -> None:
    ann, bo = await keep(models, await person("Ann")), await person("Bo")
    signed_in = await models.accounts.login("ANN@example.com", PASSWORD, AWAY, None)
    assert signed_in.member.user_id == ann.user_id
    assert signed_in.member.session_id != ann.session_id
    assert await models.sessions.again(ann.session_id) is None
    assert await models.sessions.again(bo.session_id) is not None


async def test_signing_in_again_on_the_same_device_rotates(models: Models, person: MakePerson) -> None:
    guest = await person("Ann")
    upgraded = await models.accounts.upgrade(await member_of(models, guest), ANN, PASSWORD, HOME)
    current = upgraded.signed_in
    again = await models.accounts.login(ANN, PASSWORD, HOME, current.member)
    assert again.member.session_id == guest.session_id
    assert again.token != current.token
    assert await models.sessions.find(current.token) is None


async def test_a_guest_who_signs_in_to_an_account_is_left_behind(models: Models, person: MakePerson) -> None:
    await keep(models, await person("Ann"))
    stray = await person("Stray")
    signed_in = await models.accounts.login(ANN, PASSWORD, HOME, await member_of(models, stray))
    assert signed_in.member.name == "Ann"
    assert await models.sessions.find(stray.token) is None


async def test_many_sign_ins_at_once_leave_one_session(models: Models, person: MakePerson) -> None:
    await keep(models, await person("Ann"))
    results = await asyncio.gather(*[models.accounts.login(ANN, PASSWORD, HOME, None) for _ in range(5)])
    alive = [await models.sessions.find(one.token) for one in results]
    assert sum(one is not None for one in alive) == 1
    assert await failures(models) == 0


@pytest.mark.parametrize("email", [ANN, "nobody@example.com"])
async def test_a_wrong_e_mail_or_password_is_refused(models: Models, person: MakePerson, email: str) -> None:
    await keep(models, await person("Ann"))
    with pytest.raises(NotSignedIn, match="do not go together"):
        await models.accounts.login(email, OTHER_PASSWORD, HOME, None)
    assert await failures(models) == 2


@pytest.mark.parametrize(("email", "password"), [("ann", PASSWORD), (ANN, ""), (ANN, "x" * 2000)])
async def test_a_faulty_form_does_not_count_as_a_failure(
    models: Models, person: MakePerson, email: str, password: str
) -> None:
    await keep(models, await person("Ann"))
    for _ in range(7):
        with pytest.raises(Invalid):
            await models.accounts.login(email, password, HOME, None)
    assert await failures(models) == 0
    assert await models.accounts.login(ANN, PASSWORD, HOME, None)


async def test_a_password_that_changes_during_the_comparison_is_refused(
    models: Models, person: MakePerson
) -> None:
    member = await keep(models, await person("Ann"))
    account = await models.accounts.get(member.user_id)
    stale = Account(account.user_id, account.email, account.email_key, "$2b$04$" + "x" * 53)
    with pytest.raises(NotSignedIn):
        await models.accounts.enter(stale, None)
    assert await models.sessions.again(member.session_id) is not None


async def test_a_banned_account_gets_no_session(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    await keep(models, ann)
    await ban(models, ann)
    with pytest.raises(Banned):
        await models.accounts.login(ANN, PASSWORD, HOME, None)
    assert await failures(models) == 0


async def test_signing_in_rehashes_a_hash_of_another_cost(models: Models, person: MakePerson) -> None:
    member = await keep(models, await person("Ann"))
    dearer = Passwords(replace(QUICK, bcrypt_cost=5))
    models.accounts._passwords = dearer
    await models.accounts.login(ANN, PASSWORD, HOME, None)
    kept = await models.accounts.get(member.user_id)
    assert kept.password_hash.startswith("$2b$05$")
    assert await models.accounts.login(ANN, PASSWORD, HOME, None)
    await dearer.close()
