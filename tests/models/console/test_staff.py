"""Staff accounts: the list, enrolment, and the last admin."""

from __future__ import annotations

import asyncio

import pytest

from models.errors import Conflict, Invalid, NotFound
from models.ids import new_id
from models.security.audit_log import OPERATOR
from models.wiring import Models
from tests.support.people.staff import PASSWORD, digits, enrolled, link_of
from tests.support.scenes import rows, stand_still


async def test_a_new_staff_member_enrols_once_by_link(models: Models) -> None:
    link = link_of(await models.staff.add("Mia", "admin", OPERATOR))
    who = await models.staff.enrolment(link)
    (listed,) = await models.staff.all()
    assert (listed.role, listed.is_enrolled) == ("admin", False)
    secret = await models.second_factors.secret(who.seed)
    with pytest.raises(Invalid, match="at least"):
        await models.staff.enrol(link, "short", digits(secret, models))
    with pytest.raises(Invalid, match="digits"):
        await models.staff.enrol(link, PASSWORD, digits(secret, models, 90))
    tries = [models.staff.enrol(link, PASSWORD, digits(secret, models)) for _ in range(4)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    (token,) = [one for one in done if isinstance(one, str)]
    assert [type(one) for one in done if not isinstance(one, str)] == [NotFound] * 3
    found = await models.staff_sessions.find(token)
    assert found is not None
    assert (found.name, found.role, found.has_passed) == ("Mia", "admin", True)


async def test_a_link_expires_after_a_day(models: Models) -> None:
    stand_still(models)
    link = link_of(await models.staff.add("Mia", "admin", OPERATOR))
    models.clock.advance(hours=23, minutes=59)
    await models.staff.enrolment(link)
    models.clock.advance(minutes=2)
    for odd in (link, new_id(), "", "x"):
        with pytest.raises(NotFound):
            await models.staff.enrolment(odd)


async def test_no_secret_is_in_the_database_or_the_log(models: Models) -> None:
    worker, token = await enrolled(models, "Mia")
    link = link_of(await models.staff.add("Noah", "moderator", OPERATOR))
    kept = str(
        await rows(models, "select s::text from staff s union all select t::text from staff_sessions t")
    )
    kept += str(await rows(models, "select a::text from audit_log a"))
    for secret in (token, link, PASSWORD, worker.secret):
        assert secret not in kept


async def test_names_are_unique_regardless_of_case(models: Models) -> None:
    await models.staff.add("mia@example.com", "moderator", OPERATOR)
    with pytest.raises(Conflict):
        await models.staff.add(" Mia@Example.com", "moderator", OPERATOR)
    for name, role in (("", "admin"), ("x" * 81, "admin"), ("a\nb", "admin"), ("Noah", "owner")):
        with pytest.raises(Invalid):
            await models.staff.add(name, role, OPERATOR)
    assert (await models.staff.named("MIA@example.com")).name == "mia@example.com"


async def test_a_reset_ends_all_sessions_and_requires_enrolment(models: Models) -> None:
    worker, token = await enrolled(models, "Mia")
    _, others = await enrolled(models, "Noah")
    link = link_of(await models.staff.reset(worker.staff_id, OPERATOR))
    assert await models.staff_sessions.find(token) is None
    assert await models.staff_sessions.find(others) is not None
    who = await models.staff.enrolment(link)
    secret = await models.second_factors.secret(who.seed)
    assert secret != worker.secret
    await models.staff.enrol(link, PASSWORD, digits(secret, models))
    assert await models.staff_sessions.find(token) is None


async def test_disabling_ends_access_at_once(models: Models) -> None:
    worker, token = await enrolled(models, "Mia")
    await models.staff.disable(worker.staff_id, OPERATOR, "Left.")
    assert await models.staff_sessions.find(token) is None
    with pytest.raises(Conflict):
        await models.staff.disable(worker.staff_id, OPERATOR)
    with pytest.raises(NotFound):
        await models.staff.disable(new_id(), OPERATOR)


async def test_the_last_admin_cannot_be_removed(models: Models) -> None:
    one, _ = await enrolled(models, "Mia", "admin")
    other, _ = await enrolled(models, "Noah", "admin")
    both = [models.staff.disable(who.staff_id, OPERATOR) for who in (one, other)]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(map(str, done)) == [
        "None",
        str(Conflict("This is the last admin. Make someone else an admin first.")),
    ]
    (last,) = [who for who in await models.staff.all() if not who.is_disabled]
    with pytest.raises(Conflict):
        await models.staff.set_role(last.staff_id, "moderator", OPERATOR)


async def test_a_new_role_applies_at_once(models: Models) -> None:
    await enrolled(models, "Mia", "admin")
    noah, token = await enrolled(models, "Noah")
    await models.staff.set_role(noah.staff_id, "admin", OPERATOR)
    found = await models.staff_sessions.find(token)
    assert found is not None
    assert found.is_admin
