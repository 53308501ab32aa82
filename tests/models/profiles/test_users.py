"""Users: created completely or not at all, and changed only to valid values."""

from __future__ import annotations

import asyncio

import pytest

from models.accounts.sign_up import next_step
from models.errors import Invalid, NotFound, TooMany
from models.ids import new_id
from models.security.sessions import SignedIn
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakePerson

HOME = "203.0.113.1"


@pytest.fixture
def config() -> Config:
    """The default limits."""
    return Config()


async def guest(models: Models, **changes: object) -> SignedIn:
    given: dict[str, object] = {
        "name": "Ann",
        "gender": "female",
        "adult": True,
        "invite_code": None,
        "address": HOME,
    }
    return await models.sign_up.guest(**(given | changes))  # type: ignore[arg-type]


async def people(models: Models) -> int:
    async with models.db.link() as link:
        await link.execute("select count(*) from users")
        return int((link.cursor.fetchone())[0])


async def test_a_guest_has_a_clean_name_and_a_session(models: Models) -> None:
    signed = await guest(models, name="  Ann   Lee ")
    assert signed.member.name == "Ann Lee"
    assert signed.member.access == "unpaid"
    assert await models.sessions.find(signed.token) is not None


async def test_every_fault_is_reported_at_once_and_no_user_is_created(models: Models) -> None:
    before = await people(models)
    with pytest.raises(Invalid) as refused:
        await guest(models, name=" ", gender="robot", adult=False)
    assert set(refused.value.fields or {}) == {"name", "gender", "adult"}
    assert await people(models) == before


async def test_a_bad_code_creates_no_user(models: Models) -> None:
    before = await people(models)
    with pytest.raises(Invalid) as refused:
        await guest(models, invite_code="0" * 16)
    assert set(refused.value.fields or {}) == {"inviteCode"}
    assert await people(models) == before


async def test_twenty_guests_an_hour_from_an_address(models: Models) -> None:
    async def comes(address: str) -> bool:
        try:
            await guest(models, address=address)
        except TooMany:
            return False
        return True

    before, limit = await people(models), models.config.guests_per_hour
    assert sum(await asyncio.gather(*[comes(HOME) for _ in range(limit + 5)])) == limit
    assert await people(models) == before + limit
    assert await comes("198.51.100.9")


async def test_mistakes_do_not_count(models: Models) -> None:
    for _ in range(models.config.guests_per_hour + 1):
        with pytest.raises(Invalid):
            await guest(models, name="")
    await guest(models)


async def test_a_change_affects_only_its_fields_and_its_user(models: Models) -> None:
    ann, bo = await guest(models), await guest(models, name="Bo")
    await models.users.update(ann.member.user_id, name="Anna")
    changed = await models.users.get(ann.member.user_id)
    assert (changed.name, changed.gender) == ("Anna", "female")
    assert (await models.users.get(bo.member.user_id)).name == "Bo"


async def test_a_faulty_change_changes_nothing(models: Models) -> None:
    ann = await guest(models)
    with pytest.raises(Invalid):
        await models.users.update(ann.member.user_id, name="Anna", gender="robot")
    assert (await models.users.get(ann.member.user_id)).name == "Ann"


async def test_an_unknown_user_is_not_found(models: Models) -> None:
    assert await models.users.find(new_id()) is None
    assert await models.users.person(new_id()) is None
    with pytest.raises(NotFound):
        await models.users.get(new_id())
    with pytest.raises(NotFound):
        await models.users.update(new_id(), name="Ann")


async def test_the_next_step_is_the_first_missing_one(models: Models, person: MakePerson) -> None:
    signed = await guest(models)
    with_selfie = signed.member.with_selfie(new_id())
    paid = await models.sessions.find((await person(access="payment", selfie=True)).token)
    steps = [next_step(member) for member in (None, signed.member, with_selfie, paid)]
    assert steps == ["profile", "selfie", "access", "done"]


async def test_me_is_about_me(models: Models, person: MakePerson) -> None:
    signed = await guest(models)
    me = await models.users.me(signed.member)
    assert (me.user_id, me.access, me.selfie_url, me.invite_code) == (
        signed.member.user_id,
        "unpaid",
        None,
        None,
    )
