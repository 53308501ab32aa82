"""Sign-in to the console: two steps with limits, and a short session."""

from __future__ import annotations

import asyncio

import pytest

from models.console.sessions import StaffMember
from models.errors import NotSignedIn, TooMany
from models.wiring import Models
from tests.conftest import MakePerson
from tests.support.people.staff import PASSWORD, enrolled
from tests.support.scenes import stand_still

HERE = "127.0.0.1"


async def half(models: Models, name: str = "Mia") -> StaffMember:
    """A staff member after the password and before the digits."""
    found = await models.staff_sessions.find(await models.staff_sign_in.first(name, PASSWORD, HERE))
    assert found is not None
    return found


async def test_a_password_alone_is_half_a_sign_in(models: Models) -> None:
    stand_still(models)
    worker, _ = await enrolled(models, "Mia")
    who = await half(models, " MIA")
    assert not who.has_passed
    token = await models.staff_sign_in.second(who, worker.digits(models, 1))
    found = await models.staff_sessions.find(token)
    assert found is not None
    assert (found.has_passed, found.session_id) == (True, who.session_id)


async def test_half_a_sign_in_expires_after_minutes(models: Models) -> None:
    stand_still(models)
    await enrolled(models, "Mia")
    token = await models.staff_sign_in.first("Mia", PASSWORD, HERE)
    models.clock.advance(minutes=9)
    assert await models.staff_sessions.find(token) is not None
    models.clock.advance(minutes=2)
    assert await models.staff_sessions.find(token) is None


async def test_the_token_of_the_first_step_is_invalid_after_the_second(models: Models) -> None:
    stand_still(models)
    worker, _ = await enrolled(models, "Mia")
    token = await models.staff_sign_in.first("Mia", PASSWORD, HERE)
    who = await models.staff_sessions.find(token)
    assert who is not None
    await models.staff_sign_in.second(who, worker.digits(models, 1))
    assert await models.staff_sessions.find(token) is None


async def test_a_time_step_is_accepted_once_with_concurrent_requests(models: Models) -> None:
    stand_still(models)
    worker, _ = await enrolled(models, "Mia")
    with pytest.raises(NotSignedIn):
        await models.staff_sign_in.second(await half(models), worker.digits(models))  # used to enrol
    models.clock.advance(seconds=30)
    halves = [await half(models) for _ in range(3)]
    tries = [models.staff_sign_in.second(who, worker.digits(models)) for who in halves]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NotSignedIn", "NotSignedIn", "str"]
    models.clock.advance(seconds=30)
    with pytest.raises(NotSignedIn):  # one step back would be near enough, but it is used
        await models.staff_sign_in.second(await half(models), worker.digits(models, -1))


async def test_digits_of_another_user_or_another_time_are_wrong(models: Models) -> None:
    stand_still(models)
    worker, _ = await enrolled(models, "Mia")
    other, _ = await enrolled(models, "Noah")
    for wrong in (other.digits(models, 1), worker.digits(models, 3)):
        with pytest.raises(NotSignedIn):
            await models.staff_sign_in.second(await half(models), wrong)


async def test_the_sixth_guess_is_rate_limited_from_any_address(models: Models) -> None:
    stand_still(models)
    worker, _ = await enrolled(models, "Mia")
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            await models.staff_sign_in.second(await half(models), "abc")
    who = await half(models)
    with pytest.raises(TooMany):
        await models.staff_sign_in.second(who, worker.digits(models, 1))
    models.clock.advance(minutes=15, seconds=1)
    await models.staff_sign_in.second(await half(models), worker.digits(models))


async def test_wrong_names_and_passwords_get_the_same_answer_and_are_counted(models: Models) -> None:
    stand_still(models)
    worker, _ = await enrolled(models, "Mia")
    await models.staff.add("Not yet", "moderator", worker.staff_id)
    told = set()
    for name in ("Mia", "Nobody", "Not yet"):
        with pytest.raises(NotSignedIn) as refused:
            await models.staff_sign_in.first(name, "something else entirely", HERE)
        told.add(str(refused.value))
    assert len(told) == 1
    for _ in range(4):
        with pytest.raises(NotSignedIn):
            await models.staff_sign_in.first("Mia", "something else entirely", HERE)
    with pytest.raises(TooMany):
        await models.staff_sign_in.first("Mia", PASSWORD, HERE)
    await models.staff_sign_in.first("Mia", PASSWORD, "10.0.0.1")


async def test_a_session_ends_by_age_and_when_unused(models: Models) -> None:
    stand_still(models)
    _, used = await enrolled(models, "Mia")
    _, unused = await enrolled(models, "Noah")
    for _ in range(24):
        models.clock.advance(minutes=29, seconds=50)
        who = await models.staff_sessions.find(used)
        assert who is not None
        await models.staff_sessions.touch(who)
    assert await models.staff_sessions.find(unused) is None
    models.clock.advance(minutes=10)
    assert await models.staff_sessions.find(used) is None
    models.clock.advance(days=31)
    await models.staff_sessions.forget()
    assert (await models.audit.verify()).broken is None


async def test_sessions_of_members_and_staff_are_separate(models: Models, person: MakePerson) -> None:
    _, token = await enrolled(models, "Mia")
    anna = await person("Anna")
    assert await models.sessions.find(token) is None
    assert await models.staff_sessions.find(anna.token) is None
    for odd in (None, "", "x", "0" * 36):
        assert await models.staff_sessions.find(odd) is None
