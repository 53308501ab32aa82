"""Rows of calls: one compare-and-set a step, and an end that also writes the codes that were earned."""

from __future__ import annotations

import pytest

from models.calls.rows import CallRows
from models.wiring import Models
from tests.conftest import MakePerson, Person
from tests.models.calls.test_calls import begin, connect
from tests.support.factories import end_access
from tests.support.scenes import rows, stand_still


async def talk(models: Models, anna: Person, ben: Person, seconds: float) -> int:
    """A call of this length; the number of statements for its end."""
    call = await begin(models, anna, ben)
    await connect(models, call)
    models.clock.advance(seconds=seconds)
    before = models.db.statements_run
    await models.calls.hang_up(call.call_id)
    return models.db.statements_run - before


async def had(models: Models, someone: Person, calls: int) -> None:
    await rows(models, "update users set successful_calls = %s where user_id = %s", calls, someone.user_id)


@pytest.mark.parametrize(
    ("calls", "seconds", "has_code"), [(2, 30, False), (3, 29, False), (3, 30, True), (9, 30, True)]
)
async def test_a_user_earns_a_code_with_the_fourth_successful_call(
    models: Models, person: MakePerson, calls: int, seconds: int, has_code: bool
) -> None:
    stand_still(models)
    anna, ben = await person("Anna", access="code"), await person("Ben", access="code")
    await had(models, ben, calls)
    assert await talk(models, anna, ben, seconds) == 1
    assert (await models.invite_codes.find_own(ben.user_id) is not None) is has_code
    assert await models.invite_codes.find_own(anna.user_id) is None


async def test_both_users_earn_a_code_in_the_same_statement(models: Models, person: MakePerson) -> None:
    stand_still(models)
    both = await person("Anna", access="code"), await person("Ben", access="code")
    for one in both:
        await had(models, one, 3)
    assert await talk(models, *both, 30) == 1
    codes = [await models.invite_codes.find_own(one.user_id) for one in both]
    assert [code and code.uses_remaining for code in codes] == [4, 4]
    assert len({code and code.code for code in codes}) == 2


async def test_a_user_who_lost_access_earns_no_code(models: Models, person: MakePerson) -> None:
    stand_still(models)
    anna, ben = await person("Anna", access="code"), await person("Ben", access="code")
    await had(models, ben, 9)
    call = await begin(models, anna, ben)
    await connect(models, call)
    await end_access(models, ben, "code")
    models.clock.advance(seconds=30)
    await models.calls.hang_up(call.call_id)
    assert await models.invite_codes.find_own(ben.user_id) is None


async def test_a_stopped_code_stays_stopped(models: Models, person: MakePerson) -> None:
    stand_still(models)
    anna, ben = await person("Anna"), await person("Ben")
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(ben.user_id, on=on)
        await models.invite_codes.stop_own(ben.user_id, on=on)
    await had(models, ben, 3)
    await talk(models, anna, ben, 30)
    own = await models.invite_codes.find_own(ben.user_id)
    assert own is not None
    assert own.stopped


async def test_a_step_of_an_older_version_changes_nothing(models: Models, person: MakePerson) -> None:
    anna, ben = await person("Anna"), await person("Ben")
    table = CallRows(models.db, models.config)
    old = await begin(models, anna, ben)
    seated, view = await models.calls.take_seat(old.call_id, "caller", "a")
    assert view is not None
    assert view.peer == await models.users.person(ben.user_id)
    assert await table.advance(old, old.progress) == (False, None)
    assert not await table.finish(old, old.progress)
    assert await models.calls.get(old.call_id) == seated
