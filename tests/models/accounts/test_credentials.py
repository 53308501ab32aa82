"""Changes to an account need its password, affect no other account, and are announced to the holder."""

from __future__ import annotations

import pytest

from models.errors import Conflict, Invalid, NotAllowed, NotSignedIn, TooMany
from models.security.addresses import subject_of
from models.security.member import Member
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.account_holders import OTHER_PASSWORD, PASSWORD
from tests.support.smtp_server import Mailbox

pytestmark = pytest.mark.usefixtures("mailbox")

HOME = "203.0.113.7"
LOCK = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
ANN, BO, NEW = "ann@example.com", "bo@example.com", "new@example.org"


async def keep(models: Models, person: MakePerson, name: str) -> Member:
    guest = await person(name)
    member = await models.sessions.find(guest.token)
    assert member is not None
    upgraded = await models.accounts.upgrade(member, f"{name.lower()}@example.com", PASSWORD, HOME)
    return upgraded.signed_in.member


async def test_a_new_password_works_at_once_and_only_for_its_account(
    models: Models, mailbox: Mailbox, person: MakePerson
) -> None:
    ann, bo = await keep(models, person, "Ann"), await keep(models, person, "Bo")
    await models.credentials.password(ann, PASSWORD, OTHER_PASSWORD, HOME)
    with pytest.raises(NotSignedIn):
        await models.accounts.login(ANN, PASSWORD, HOME, None)
    assert await models.accounts.login(ANN, OTHER_PASSWORD, HOME, None)
    assert (await models.accounts.login(BO, PASSWORD, HOME, None)).member.user_id == bo.user_id
    assert "was changed just now" in await mailbox.letter()
    assert mailbox.recipients == [ANN]


async def test_a_change_that_is_done_does_not_fail_for_a_letter_that_cannot_be_counted(
    models: Models, person: MakePerson
) -> None:
    """The lock of the limit is held longer than a statement may wait."""
    ann = await keep(models, person, "Ann")
    subject = await models.rate_limits.mark("account_mail_address", subject_of(HOME))
    async with models.db.transaction() as on:
        await on.link.execute(LOCK, (f"account_mail_address {subject}",))
        await models.credentials.password(ann, PASSWORD, OTHER_PASSWORD, HOME)
    assert await models.accounts.login(ANN, OTHER_PASSWORD, HOME, None)


async def test_it_ends_the_other_sessions_and_keeps_this_one(models: Models, person: MakePerson) -> None:
    ann, bo = await keep(models, person, "Ann"), await keep(models, person, "Bo")
    other = await models.sessions.create(ann.user_id)
    await models.credentials.password(ann, PASSWORD, OTHER_PASSWORD, HOME)
    assert await models.sessions.again(ann.session_id) is not None
    assert await models.sessions.again(bo.session_id) is not None
    assert await models.sessions.find(other.token) is None
    assert await models.sessions.why_ended(other.token) == "password_changed"


async def test_the_wrong_password_changes_nothing_and_counts(models: Models, person: MakePerson) -> None:
    ann = await keep(models, person, "Ann")
    changes = models.credentials
    for _ in range(2):
        with pytest.raises(NotAllowed) as refused:
            await changes.password(ann, OTHER_PASSWORD, "password1234", HOME)
        assert set(refused.value.fields or {}) == {"currentPassword"}, "nothing is hashed for a stranger"
        with pytest.raises(NotAllowed):
            await changes.email(ann, OTHER_PASSWORD, NEW, HOME)
    with pytest.raises(NotAllowed):
        await changes.recovery_codes(ann, OTHER_PASSWORD, HOME)
    with pytest.raises(TooMany):
        await changes.password(ann, PASSWORD, OTHER_PASSWORD, HOME)
    with pytest.raises(TooMany):
        await models.accounts.login(ANN, PASSWORD, HOME, None)
    assert await models.accounts.login(ANN, PASSWORD, "198.51.100.9", None)
    assert await models.recovery_codes.left(ann.user_id) == 8


@pytest.mark.parametrize("password", ["short", "password1234", "ann@example.com"])
async def test_a_new_password_has_the_same_rules_as_the_first(
    models: Models, person: MakePerson, password: str
) -> None:
    ann = await keep(models, person, "Ann")
    for _ in range(7):
        with pytest.raises(Invalid):
            await models.credentials.password(ann, PASSWORD, password, HOME)
    assert await models.accounts.login(ANN, PASSWORD, HOME, None)


async def test_a_new_address_works_at_once(models: Models, mailbox: Mailbox, person: MakePerson) -> None:
    ann = await keep(models, person, "Ann")
    await models.credentials.email(ann, PASSWORD, NEW, HOME)
    assert await models.accounts.login(NEW, PASSWORD, HOME, None)
    with pytest.raises(NotSignedIn):
        await models.accounts.login(ANN, PASSWORD, HOME, None)
    assert "a new e-mail address" in await mailbox.letter()
    assert mailbox.recipients == [ANN]


async def test_the_address_of_another_account_is_refused(models: Models, person: MakePerson) -> None:
    ann, bo = await keep(models, person, "Ann"), await keep(models, person, "Bo")
    with pytest.raises(Conflict) as refused:
        await models.credentials.email(ann, PASSWORD, "BO@example.com", HOME)
    assert set(refused.value.fields or {}) == {"email"}
    assert (await models.accounts.login(BO, PASSWORD, HOME, None)).member.user_id == bo.user_id


async def test_new_codes_replace_the_old(models: Models, person: MakePerson) -> None:
    ann = await keep(models, person, "Ann")
    codes = await models.credentials.recovery_codes(ann, PASSWORD, HOME)
    assert len(codes) == await models.recovery_codes.left(ann.user_id) == 8
    assert await models.recovery.by_code(ANN, codes[7], OTHER_PASSWORD, HOME, None)


async def test_a_guest_has_nothing_to_change(models: Models, person: MakePerson) -> None:
    guest = await models.sessions.find((await person("Guest")).token)
    assert guest is not None
    with pytest.raises(Conflict):
        await models.credentials.password(guest, PASSWORD, OTHER_PASSWORD, HOME)
    with pytest.raises(Conflict):
        await models.credentials.recovery_codes(guest, PASSWORD, HOME)
