"""Access granted and withdrawn by admins: each once, with a reason and an audit row."""

from __future__ import annotations

import asyncio

import pytest

from models.console.member_access import WITHDRAWN
from models.errors import Conflict, Invalid, NotFound
from models.ids import NO_ID
from models.security.audit_log import OPERATOR
from models.wiring import Models
from tests.conftest import MakePerson, Person


async def change(models: Models, someone: Person, action: str, grant_id: str = "", why: str = "So.") -> None:
    await models.member_access.change(someone.user_id, action, grant_id, why, OPERATOR)


async def only(models: Models, someone: Person) -> str:
    (one,) = await models.member_access.of(someone.user_id)
    return one.grant_id


async def told(models: Models) -> list[tuple[str, str]]:
    return [(one.action, one.reason) for one in reversed(await models.audit.page())]


async def test_access_is_granted_withdrawn_and_granted_again(models: Models, person: MakePerson) -> None:
    anna = await person("Anna", access=None)
    await change(models, anna, "comp", why="A friend of the house.")
    assert await models.grants.of(anna.user_id) == "comped"
    with pytest.raises(Conflict):
        await change(models, anna, "comp")
    await change(models, anna, "withdraw", await only(models, anna), "Moved away.")
    assert await models.grants.of(anna.user_id) == "unpaid"
    (one,) = await models.member_access.of(anna.user_id)
    assert (one.ended_reason, one.may_be_withdrawn, one.may_be_restored) == (WITHDRAWN, False, True)
    await change(models, anna, "comp", why="Back again.")
    assert await models.grants.of(anna.user_id) == "comped"
    assert await told(models) == [
        ("access.comp", "A friend of the house."),
        ("access.withdraw", "Moved away."),
        ("access.comp", "Back again."),
    ]


async def test_access_by_code_is_withdrawn_and_given_back(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben", access=None)
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(anna.user_id, on=on)
    code = (await models.invite_codes.find_own(anna.user_id)).code
    await models.invite_codes.redeem(code, ben.user_id)
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(ben.user_id, on=on)
    await change(models, ben, "withdraw", await only(models, ben))
    assert await models.grants.of(ben.user_id) == "unpaid"
    assert (await models.invite_codes.find_own(ben.user_id)).stopped
    with pytest.raises(Conflict):
        await models.invite_codes.redeem(code, ben.user_id)
    await change(models, ben, "restore", await only(models, ben))
    assert await models.grants.of(ben.user_id) == "invited"
    assert not (await models.invite_codes.find_own(ben.user_id)).stopped


async def test_simultaneous_changes_are_one(models: Models, person: MakePerson) -> None:
    anna = await person("Anna", access=None)
    got = await asyncio.gather(*(change(models, anna, "comp") for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(problem, Conflict) for problem in got) == 5
    assert len(await told(models)) == 1


async def test_what_was_paid_is_not_withdrawn_here(models: Models, person: MakePerson) -> None:
    anna = await person("Anna", access="payment")
    with pytest.raises(Conflict, match="refund"):
        await change(models, anna, "withdraw", await only(models, anna))
    assert await models.grants.of(anna.user_id) == "paid"


async def test_what_ended_otherwise_is_not_given_back(models: Models, person: MakePerson) -> None:
    anna = await person("Anna", access="comp")
    (one,) = await models.member_access.of(anna.user_id)
    await models.grants.take_away("comp", one.source, "otherwise")
    with pytest.raises(Conflict):
        await change(models, anna, "restore", one.grant_id)


async def test_faulty_changes(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna", access="comp"), await person("Ben", access="comp")
    for action, grant_id, why, problem in (
        ("comp", "", " ", Invalid),
        ("nonsense", "", "So.", Invalid),
        ("withdraw", await only(models, ben), "So.", NotFound),
        ("withdraw", "x", "So.", NotFound),
    ):
        with pytest.raises(problem):
            await change(models, anna, action, grant_id, why)
    for nobody in (NO_ID, "x"):
        with pytest.raises(NotFound):
            await models.member_access.change(nobody, "comp", "", "So.", OPERATOR)
    assert await told(models) == []
