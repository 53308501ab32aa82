"""The figures of each hour: one row for all processes, gaps while the site did not run, and their end."""

from __future__ import annotations

import asyncio

from models.console.hourly_figures import Hour
from models.ids import new_id
from models.wiring import Models
from tests.conftest import MakePerson, Running
from tests.support.scenes import in_call, rows, stand_still


async def newest(models: Models) -> Hour:
    return (await models.hourly_figures.of_last(1, with_money=True))[-1]


async def test_users_calls_and_rings_of_this_hour(site: Running, person: MakePerson) -> None:
    models = site.models
    assert (await newest(models)).online is None
    await in_call(site, person)
    ann, bo = await person("Ann"), await person("Bo")
    for outcome in ("declined", "cancelled", "gone", "missed"):
        sql = "insert into invite_outcomes values (%s, %s, %s, %s, null, now())"
        await rows(models, sql, new_id(), ann.user_id, bo.user_id, outcome)
    socket = await site.invites(ann)
    await models.hourly_figures.record()
    found = await newest(models)
    online = await models.presence.online_users()
    assert online > 0
    assert (found.online, found.calls, found.good_calls, found.other_calls) == (online, 1, 0, 1)
    assert (found.declined, found.cancelled, found.missed, found.payments) == (1, 2, 1, 0)
    socket.close()
    assert (await models.hourly_figures.of_last(1, with_money=False))[0].payments is None


async def test_a_call_that_ended_later_counts_for_the_hour_in_which_it_began(
    site: Running, person: MakePerson
) -> None:
    models = site.models
    await in_call(site, person)
    await models.hourly_figures.record()
    stand_still(models)
    models.clock.advance(hours=1)
    await rows(
        models,
        "update calls set state = 'ended', ended_at = now(), ended_reason = 'hung_up', due_at = null, "
        "connected_ms = 40000",
    )
    await models.hourly_figures.record()
    before, now = await models.hourly_figures.of_last(2, with_money=True)
    assert (before.calls, before.good_calls, now.calls) == (1, 1, 0)


async def test_an_hour_without_the_site_has_no_figures(models: Models) -> None:
    stand_still(models)
    await models.hourly_figures.record()
    models.clock.advance(hours=2)
    await models.hourly_figures.record()
    assert [one.online for one in await models.hourly_figures.of_last(4, with_money=True)] == [
        None, 0, None, 0,
    ]  # fmt: skip


async def test_processes_that_write_at_the_same_time_keep_the_highest_number_online(models: Models) -> None:
    stand_still(models)
    await rows(
        models,
        "insert into hourly_figures values (date_trunc('hour', %s::timestamptz), 7, 0, 0, 0, 0, 0, 0)",
        models.clock.now(),
    )
    await asyncio.gather(*(models.hourly_figures.record() for _ in range(4)))
    ((hours, online),) = await rows(models, "select count(*), max(online) from hourly_figures")
    assert (hours, online) == (1, 7)


async def test_rows_are_deleted_after_eight_days(models: Models) -> None:
    for days in (7.9, 8.1):
        sql = "insert into hourly_figures values (now() - %s * interval '1 day', 1, 0, 0, 0, 0, 0, 0)"
        await rows(models, sql, days)
    await models.hourly_figures.record()
    # And the hour of now.
    assert await rows(models, "select count(*) from hourly_figures") == [(2,)]
