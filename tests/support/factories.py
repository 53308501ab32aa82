"""One factory per noun: rows as another process would have left them. Nothing is published or enforced.

Used where the model that writes the row would also do what the test is about.
"""

from __future__ import annotations

from datetime import timedelta

from models.wiring import Models
from tests.conftest import Person
from tests.support.scenes import rows

ENDED_CALL = """
with outcome as (
    insert into invite_outcomes (invite_id, caller_id, callee_id, outcome, call_id, decided_at)
    select gen_random_uuid(), %(caller)s, %(callee)s, 'accepted', gen_random_uuid(),
        clock_timestamp() - %(ago)s * interval '1 minute'
    returning *
)
insert into calls (
    call_id, invite_id, caller_id, callee_id, agreed_seconds, state, started_at, connected_at, connect_by,
    remaining_ms, ended_at, ended_reason, connected_ms
)
select call_id, invite_id, caller_id, callee_id, 300, 'ended', decided_at,
    case when %(ms)s > 0 then decided_at end, decided_at, 0, decided_at, 'hung_up', %(ms)s
from outcome returning call_id::text
"""


async def ended_call(
    models: Models, caller: Person, callee: Person, *, minutes_ago: float = 0, ms: int = 60_000
) -> str:
    """The id of a call that began and ended at one instant, connected for `ms`."""
    values = {"caller": caller.user_id, "callee": callee.user_id, "ago": minutes_ago, "ms": ms}
    async with models.db.link() as link:
        await link.execute(ENDED_CALL, values)
        return str(link.cursor.fetchone()[0])


async def line(models: Models, call_id: str, author: Person, text: str = "hi", client_id: str = "c") -> None:
    """A chat line that was stored and not relayed."""
    sql = "insert into call_messages values (gen_random_uuid(), %s, %s, %s, %s, clock_timestamp())"
    await rows(models, sql, call_id, author.user_id, client_id, text)


async def cooldown(models: Models, one: Person, other: Person, **length: float) -> None:
    """As `cooldown(models, anna, ben, hours=1)`."""
    low, high = sorted([one.user_id, other.user_id])
    sql = "insert into cooldowns values (%s, %s, %s) on conflict do nothing"
    await rows(models, sql, low, high, models.clock.now() + timedelta(**length))


async def report_row(models: Models, reporter: Person, about: Person, text: str | None = None) -> None:
    """A report that has not been weighed."""
    sql = (
        "insert into reports (report_id, reporter_id, reported_id, reason, text, created_at) "
        "values (gen_random_uuid(), %s, %s, 'spam', %s, clock_timestamp())"
    )
    await rows(models, sql, reporter.user_id, about.user_id, text)


async def deleted(models: Models, person: Person) -> None:
    """A user in the first moment of their deletion: every other row is still there."""
    await rows(models, "update users set deleted_at = clock_timestamp() where user_id = %s", person.user_id)


async def end_access(models: Models, person: Person, reason: str = "comp") -> None:
    async with models.db.transaction() as on:
        await models.grants.lock(person.user_id, on=on)
        assert await models.grants.take_away_locked(
            person.user_id, reason, f"test:{person.user_id}", "a test", on=on
        )


async def end_sessions(models: Models, person: Person, reason: str = "signed_out") -> None:
    async with models.db.transaction() as on:
        assert await models.sessions.end_others(person.user_id, None, reason, on=on)


async def older(models: Models, column: str, **length: float) -> None:
    """Moves the instants of all rows into the past: `older(models, "checkouts.settled_at", seconds=11)`."""
    table, _, name = column.partition(".")
    await rows(models, f"update {table} set {name} = {name} - %s", timedelta(**length))
