"""Thousands of active calls at once, written without the models: what a dead process leaves behind."""

from __future__ import annotations

from models.wiring import Models
from tests.support.scenes import rows

MAKE = """
with people as (
    insert into users (user_id, name, gender, adult_at, created_at)
    select gen_random_uuid(), 'P', 'female', now(), now() from generate_series(1, 2 * %(calls)s)
    returning user_id
),
numbered as (select user_id, row_number() over () as n from people),
pairs as (
    select gen_random_uuid() as call_id, gen_random_uuid() as invite_id, a.user_id as a, b.user_id as b
    from numbered a join numbered b on b.n = a.n + 1 where a.n %% 2 = 1
),
decided as (
    insert into invite_outcomes (invite_id, caller_id, callee_id, outcome, call_id, decided_at)
    select invite_id, a, b, 'accepted', call_id, now() from pairs
),
begun as (
    insert into calls (
        call_id, invite_id, caller_id, callee_id, agreed_seconds, state, started_at, connected_at, connect_by,
        caller_up, callee_up, caller_seat, callee_seat, remaining_ms, running_since, due_at
    )
    select call_id, invite_id, a, b, 600, 'connected', now(), now(), now(), true, true,
        %(process)s || '/' || a, coalesce(%(other)s, %(process)s) || '/' || b, 600000, now(),
        now() + interval '600 seconds'
    from pairs
)
insert into live_seats (user_id, call_id) select a, call_id from pairs union all select b, call_id from pairs
"""


async def make(models: Models, calls: int, process: str, other: str | None = None) -> None:
    """Running calls of ten minutes, with the callers' seats on one process and the callees' on another. Two
    thousand at a time, because a statement has two seconds.
    """
    while calls > 0:
        async with models.db.link() as link:
            values = {"calls": min(calls, 2000), "process": process, "other": other}
            await link.execute(MAKE, values)
        calls -= 2000


async def dead(models: Models, process: str) -> None:
    """A process without a heartbeat for a minute, in PostgreSQL."""
    await rows(models, "insert into processes values (%s, now() - interval '1 minute')", process)


async def number(models: Models, where: str) -> int:
    return int((await rows(models, f"select count(*) from calls where {where}"))[0][0])
