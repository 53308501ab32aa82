"""Recovery: each code and link works once, ends every session, and reveals nothing to others."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Invalid, NotFound, NotSignedIn, TooMany
from models.security.sessions import SignedIn
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD, confirm_email
from tests.support.scenes import rows
from tests.support.smtp_server import Mailbox, link_in

pytestmark = pytest.mark.usefixtures("mailbox")

HOME = "203.0.113.7"
ANN, BO, NOBODY = "ann@example.com", "bo@example.com", "nobody@example.com"


async def keep(models: Models, person: MakePerson, name: str) -> tuple[SignedIn, list[str]]:
    guest = await person(name)
    member = await models.sessions.find(guest.token)
    assert member is not None
    upgraded = await models.accounts.upgrade(member, f"{name.lower()}@example.com", PASSWORD, HOME)
    await confirm_email(models, guest.user_id)
    return upgraded.signed_in, upgraded.recovery_codes


async def link_of(models: Models, mailbox: Mailbox, email: str = ANN) -> str:
    await models.recovery.send_link(email, HOME)
    return link_in(await mailbox.letter()).partition("?link=")[2]


async def test_a_code_sets_a_new_password_and_ends_every_session(models: Models, person: MakePerson) -> None:
    ann, codes = await keep(models, person, "Ann")
    back = await models.recovery.by_code(ANN, codes[0], OTHER_PASSWORD, HOME, None)
    assert back.member.user_id == ann.member.user_id
    assert await models.sessions.find(ann.token) is None
    assert await models.sessions.find(back.token) is not None
    with pytest.raises(NotSignedIn):
        await models.accounts.login(ANN, PASSWORD, HOME, None)
    assert await models.accounts.login(ANN, OTHER_PASSWORD, HOME, None)
    with pytest.raises(NotSignedIn):
        await models.recovery.by_code(ANN, codes[0], PASSWORD, HOME, None)


async def test_a_code_opens_only_its_own_account(models: Models, person: MakePerson) -> None:
    _, codes = await keep(models, person, "Ann")
    bo, _ = await keep(models, person, "Bo")
    for email in (BO, NOBODY):
        with pytest.raises(NotSignedIn, match="do not go together"):
            await models.recovery.by_code(email, codes[0], OTHER_PASSWORD, HOME, None)
    assert await models.sessions.find(bo.token) is not None
    assert await models.accounts.login(BO, PASSWORD, HOME, None)


async def test_a_refused_password_uses_no_code_and_is_not_counted(models: Models, person: MakePerson) -> None:
    _, codes = await keep(models, person, "Ann")
    for _ in range(7):
        with pytest.raises(Invalid):
            await models.recovery.by_code(ANN, codes[0], "password1234", HOME, None)
    assert await models.recovery.by_code(ANN, codes[0], OTHER_PASSWORD, HOME, None)


async def test_code_guesses_are_limited_like_passwords(models: Models, person: MakePerson) -> None:
    _, codes = await keep(models, person, "Ann")
    wrong = "0000-0000-0000-0000"
    tries = [models.recovery.by_code(ANN, wrong, OTHER_PASSWORD, HOME, None) for _ in range(20)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, NotSignedIn) for one in results) == 5
    assert sum(isinstance(one, TooMany) for one in results) == 15
    with pytest.raises(TooMany):
        await models.accounts.login(ANN, PASSWORD, HOME, None)
    assert await models.recovery.by_code(ANN, codes[0], OTHER_PASSWORD, "198.51.100.9", None)


async def test_known_and_unknown_addresses_take_the_same_work(
    models: Models, person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(models, person, "Ann")
    hashed: list[str] = []
    real = models.passwords.hash

    async def counted(password: str, *own: str, address: str) -> str:
        hashed.append(password)
        return await real(password, *own, address=address)

    monkeypatch.setattr(models.passwords, "hash", counted)
    for email in (ANN, NOBODY):
        with pytest.raises(NotSignedIn):
            await models.recovery.by_code(email, "0000-0000-0000-0000", OTHER_PASSWORD, HOME, None)
    assert len(hashed) == 2


async def test_a_link_works_once(models: Models, mailbox: Mailbox, person: MakePerson) -> None:
    ann, _ = await keep(models, person, "Ann")
    link = await link_of(models, mailbox)
    assert await models.recovery.is_link(link)
    back = await models.recovery.by_link(link, OTHER_PASSWORD, HOME, None)
    assert back.member.user_id == ann.member.user_id
    assert await models.sessions.find(ann.token) is None
    assert "was changed" in await mailbox.letter()
    assert not await models.recovery.is_link(link)
    with pytest.raises(NotSignedIn):
        await models.recovery.by_link(link, PASSWORD, HOME, None)


async def test_a_link_ends_by_age_by_a_newer_one_and_by_a_new_password(
    models: Models, mailbox: Mailbox, person: MakePerson
) -> None:
    _, codes = await keep(models, person, "Ann")
    models.clock.freeze(models.clock.now())
    old = await link_of(models, mailbox)
    models.clock.advance(minutes=30)
    assert not await models.recovery.is_link(old)
    first = await link_of(models, mailbox)
    second = await link_of(models, mailbox)
    assert not await models.recovery.is_link(first)
    await models.recovery.by_code(ANN, codes[0], OTHER_PASSWORD, HOME, None)
    assert not await models.recovery.is_link(second)


async def test_a_link_ends_the_recovery_codes(models: Models, mailbox: Mailbox, person: MakePerson) -> None:
    """The account may have been made with Ann's address by someone who kept the codes."""
    ann, codes = await keep(models, person, "Ann")
    back = await models.recovery.by_link(await link_of(models, mailbox), OTHER_PASSWORD, HOME, None)
    with pytest.raises(NotSignedIn):
        await models.recovery.by_code(ANN, codes[0], PASSWORD, HOME, None)
    assert await models.recovery_codes.left(ann.member.user_id) == 0
    assert "You have no recovery codes now" in await mailbox.letter()
    assert await models.sessions.find(back.token) is not None


async def test_an_unknown_address_gets_no_e_mail_and_the_same_answer(
    models: Models, mailbox: Mailbox, person: MakePerson
) -> None:
    await keep(models, person, "Ann")
    await models.recovery.send_link(NOBODY, HOME)
    await link_of(models, mailbox)
    assert mailbox.letters == []
    assert NOBODY not in mailbox.recipients


async def test_the_link_is_not_in_the_database(models: Models, mailbox: Mailbox, person: MakePerson) -> None:
    await keep(models, person, "Ann")
    link = await link_of(models, mailbox)
    text = (await rows(models, "select string_agg(l::text, ' ') from recovery_links l"))[0][0]
    assert link not in text
    assert link.encode().hex() not in text


async def test_without_mail_there_are_no_links(models: Models, person: MakePerson) -> None:
    await keep(models, person, "Ann")
    models.mail._server = None
    with pytest.raises(NotFound):
        await models.recovery.send_link(ANN, HOME)
