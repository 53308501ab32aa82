"""Concurrent changes during a deletion: no deadlock, and nothing of the user is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from models.errors import Problem, Unavailable
from models.safety.bans import NewBan
from models.safety.reports import NewReport
from models.wiring import Models
from tests.conftest import MakePerson, jpeg
from tests.models.accounts.test_deletions import STAYS, places_of
from tests.support.media.files import file_of
from tests.support.people.reports import MODERATOR, met
from tests.support.scenes import rows

ROUNDS = 8
SESSIONS = "select 1 from sessions where user_id = %s and ended_at is null"
OWED = (
    "select 1 from checkouts join users using (user_id) "
    "where user_id = %s and state = 'paid' and settled_at > deleted_at"
)


async def arrivals(models: Models, person: MakePerson, number: int) -> tuple[str, list[Awaitable[object]]]:
    """Ann, and every kind of change that may arrive for her."""
    ann, bo = await person("Ann", access=None), await person("Bo")
    async with models.db.transaction() as on:
        await models.invite_codes.ensure_own(bo.user_id, on=on)
    code = await models.invite_codes.find_own(bo.user_id)
    link = await models.introductions.make_link(bo.user_id, (await person("Cy")).user_id)
    await met(models, ann, bo)
    offered = await models.checkouts.create_checkout(ann.user_id)
    member, reporter = await models.sessions.find(ann.token), await models.sessions.find(bo.token)
    assert code
    assert member
    assert reporter
    new = NewBan(user_id=ann.user_id, rule="spam", reason="Adverts.")
    waiting: list[Awaitable[object]] = [
        models.deletions.delete(ann.user_id),
        models.bans.decide(new, MODERATOR),
        models.reports.file(reporter, NewReport(user_id=ann.user_id, reason="spam")),
        models.reports.file(member, NewReport(user_id=bo.user_id, reason="spam")),
        models.blocks.block(ann.user_id, bo.user_id),
        models.invite_codes.redeem(code.code, ann.user_id),
        models.introductions.accept(link.token, ann.user_id),
        models.checkouts.play(ann.user_id, offered.session_id, is_paid=True),
        models.accounts.upgrade(member, f"ann{number}@example.com", "long enough a password", "192.0.2.1"),
        models.selfies.save(ann.user_id, file_of(jpeg())),
    ]
    return ann.user_id, waiting[number % 10 :] + waiting[: number % 10]


async def test_concurrent_changes_during_a_deletion(models: Models, person: MakePerson) -> None:
    for number in range(ROUNDS):
        user_id, waiting = await arrivals(models, person, number)
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        faults = [end for end in ends if isinstance(end, BaseException)]
        assert all(isinstance(one, Problem) for one in faults), faults
        assert not any(isinstance(one, Unavailable) for one in faults), faults
        await models.deletions.finish()
        await models.checkouts.sweep()
        assert await places_of(models, user_id) <= STAYS.keys()
        assert await rows(models, SESSIONS, user_id) == []
        assert await rows(models, OWED, user_id) == []
