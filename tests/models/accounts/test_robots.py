"""Robots: users that are programs of the operator."""

from __future__ import annotations

from models.accounts.robots import CAST
from models.wiring import Models
from tests.conftest import MakePerson


async def test_the_partners_of_the_demo_are_members_and_labelled(models: Models) -> None:
    robots = await models.robots.seed()
    assert [one.name for one in robots] == [name for name, _ in CAST]
    member = await models.sessions.find(robots[0].token)
    assert member is not None
    assert (member.access, member.person.is_robot) == ("comped", True)


async def test_seeding_again_keeps_the_users_and_replaces_their_sessions(models: Models) -> None:
    before, after = await models.robots.seed(), await models.robots.seed()
    assert await models.sessions.find(before[0].token) is None
    found = await models.sessions.find(after[0].token)
    assert found is not None
    users = await models.db.statements("accounts.robots").value("find", name=after[0].name)
    assert users == found.user_id


async def test_a_person_is_no_robot(models: Models, person: MakePerson) -> None:
    ann = await person("Ann")
    shown = await models.users.person(ann.user_id)
    assert shown is not None
    assert not shown.is_robot
