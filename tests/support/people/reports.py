"""Starting points of the tests of block, report and ban: users who have met, moderators, many reports."""

from __future__ import annotations

from datetime import timedelta

from models.ids import new_id
from models.safety.reports import NewReport
from models.wiring import Models
from tests.conftest import MakePerson, Person, Running
from tests.support.clients import Browser
from tests.support.scenes import rows

MODERATOR, OTHER_MODERATOR = new_id(), new_id()


async def met(models: Models, one: Person, other: Person) -> None:
    """Creates a ring that `one` received from `other` and missed."""
    sql = (
        "insert into invite_outcomes (invite_id, caller_id, callee_id, outcome, decided_at) "
        "values (%s, %s, %s, 'missed', clock_timestamp())"
    )
    await rows(models, sql, new_id(), other.user_id, one.user_id)


async def report(models: Models, reporter: Person, about: Person, reason: str = "harassment") -> str:
    member = await models.sessions.find(reporter.token)
    assert member is not None
    return await models.reports.file(member, NewReport(user_id=about.user_id, reason=reason))


async def reporters(models: Models, person: MakePerson, about: Person, number: int) -> list[Person]:
    """As many independent users of full weight as requested, who have met this one."""
    people = [await person(f"Reporter {count}", selfie=False) for count in range(number)]
    for one in people:
        await met(models, one, about)
    await experienced(models, *people)
    return people


async def experienced(models: Models, *people: Person) -> None:
    """Gives users a successful call, an age of two days, and no known address."""
    ids = [one.user_id for one in people]
    sql = "update users set successful_calls = 1, created_at = %s where user_id = any(%s::uuid[])"
    await rows(models, sql, models.clock.now() - timedelta(days=2), ids)
    await rows(models, "delete from seen_addresses where user_id = any(%s::uuid[])", ids)


async def bans_of(models: Models, about: Person) -> list[tuple[str, bool]]:
    """Kind, and whether it is active."""
    sql = "select kind, lifted_at is null from bans where user_id = %s order by created_at"
    return [(kind, stands) for kind, stands in await rows(models, sql, about.user_id)]


async def browser_of(site: Running, one: Person) -> Browser:
    """A browser without scripts for this user, with a page's token."""
    browser = site.browser()
    browser.cookies["session"] = one.token
    await browser.get("/settings")
    return browser
