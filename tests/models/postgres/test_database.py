"""Db: statements by name, transactions, time limits, and a server that goes down."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg2
import pytest

from models.errors import NoTables, Unavailable
from models.postgres.database import Db
from models.postgres.pool import STATEMENT_SECONDS
from models.postgres.statements import SQL, UniqueViolation
from models.wiring import Models
from tests.support.plain_statements import Plain
from tests.support.scenes import rows, until
from tests.support.servers import Servers


class Secret(msgspec.Struct, frozen=True):
    name: str
    value: str


@pytest.fixture
def plain(models: Models) -> Plain:
    return Plain(
        models.db,
        both="select 'a' as name, %(value)s as value union all select 'b', %(value)s order by 1",
        nothing="select 1 as name where false",
        put="insert into secrets values (%(name)s, %(value)s)",
        names="select name from secrets order by name",
        slow="select pg_sleep(3)",
        brief="select 1 from pg_sleep(0.1)",
        limit="set local statement_timeout = '50ms'",
        now="select coalesce(%(now)s::timestamptz, clock_timestamp()) as at",
        fail="select 1 / 0",
        table="select 1 from nowhere",
        column="select nothing from secrets",
        planned="select %(name)s::text as name, %(value)s::text || '%%' as value",
        plans="select count(*) from pg_prepared_statements where name = 'planned'",
        shape="select * from secrets order by name",
        widen="alter table secrets add column extra int",
        narrow="alter table secrets drop column if exists extra",
    )


async def test_rows_become_records(plain: Plain) -> None:
    assert await plain.all("both", Secret, value="x") == [Secret("a", "x"), Secret("b", "x")]
    assert await plain.one("both", Secret, value="x") == Secret("a", "x")
    assert await plain.value("both", value="x") == "a"
    assert await plain.all("both", str, value="x") == ["a", "b"]
    assert await plain.one("nothing", Secret) is None
    assert await plain.value("nothing") is None
    assert await plain.all("nothing", Secret) == []


async def test_a_row_of_the_wrong_type_raises(plain: Plain) -> None:
    with pytest.raises(msgspec.ValidationError):
        await plain.all("both", Secret, value=None)


async def test_instants_are_aware_and_exact(plain: Plain) -> None:
    at = datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert await plain.value("now", now=at) == at
    now: Any = await plain.value("now", now=None)
    assert now.utcoffset().total_seconds() == 0


async def test_values_are_values_and_never_sql(plain: Plain) -> None:
    await plain.run("put", name="'; drop table secrets; --", value="%s %(x)s \\")
    assert await plain.all("names", str) == ["'; drop table secrets; --"]


async def test_a_prepared_statement_takes_other_values_each_time(models: Models, plain: Plain) -> None:
    assert await plain.one("planned", Secret, name="a", value="1") == Secret("a", "1%")
    hostile = "'); drop table secrets; --"
    assert await plain.one("planned", Secret, name=hostile, value="%s") == Secret(hostile, "%s%")
    async with models.db.transaction() as on:
        assert await plain.one("planned", Secret, on=on, name="b", value="2") == Secret("b", "2%")
    assert await plain.value("plans") == 1


async def test_a_table_that_changes_under_a_plan_costs_one_transaction(models: Models, plain: Plain) -> None:
    await plain.run("put", name="a", value="1")
    async with models.db.transaction() as on:
        # Two connections know the plan.
        await plain.all("shape", Secret, on=on)
        await plain.all("shape", Secret)
    await plain.run("widen")
    try:
        assert await plain.all("shape", Secret) == [Secret("a", "1")]
        async with models.db.transaction() as on:
            await plain.run("narrow", on=on)
            with pytest.raises(Unavailable):
                await plain.all("shape", Secret, on=on)
            raise ZeroDivisionError
    except ZeroDivisionError:
        assert await plain.all("shape", Secret) == [Secret("a", "1")]
    finally:
        await plain.run("narrow")


async def test_every_statement_marked_as_prepared_can_be_prepared(models: Models) -> None:
    files = [path for path in SQL.rglob("*.sql") if "migrations" not in path.parts]
    names = [".".join(path.relative_to(SQL).with_suffix("").parts) for path in files]
    nouns = [models.db.statements(name) for name in names]
    prepared = [one for noun in nouns for one in noun.prepared]
    assert len(prepared) > 10
    async with models.db.link() as link:
        for one in prepared:
            await link.execute(one.prepare.replace(f'"{one.name}"', f'"test {one.name}"'))
            await link.execute(f'deallocate "test {one.name}"')


async def test_a_transaction_is_all_or_nothing(models: Models, plain: Plain) -> None:
    async with models.db.transaction() as on:
        assert await plain.run("put", on=on, name="a", value="1") == 1
        assert await plain.all("names", str) == []
        assert await plain.all("names", str, on=on) == ["a"]
    assert await plain.all("names", str) == ["a"]

    async def fail_half_way() -> None:
        async with models.db.transaction() as on:
            await plain.run("put", on=on, name="b", value="2")
            raise KeyError

    with pytest.raises(KeyError):
        await fail_half_way()
    assert await plain.all("names", str) == ["a"]


async def test_a_violated_constraint_has_its_name(models: Models, plain: Plain) -> None:
    await plain.run("put", name="a", value="1")
    with pytest.raises(UniqueViolation) as violated:
        await plain.run("put", name="a", value="2")
    assert violated.value.constraint == "secrets_pkey"
    with pytest.raises(UniqueViolation):
        async with models.db.transaction() as on:
            await plain.run("put", on=on, name="a", value="2")
    assert await plain.all("names", str) == ["a"]


@pytest.mark.parametrize("name", ["fail", "column"])
async def test_our_own_errors_are_raised(plain: Plain, name: str) -> None:
    with pytest.raises(psycopg2.Error, match=r"division by zero|does not exist") as failed:
        await plain.value(name)
    assert not isinstance(failed.value, Unavailable)


async def test_a_database_without_its_tables_is_unavailable(plain: Plain) -> None:
    with pytest.raises(NoTables):
        await plain.value("table")
    assert await plain.value("both", value="x") == "a"


async def test_a_cancelled_statement_leaves_no_half_read_answer(models: Models, plain: Plain) -> None:
    for _ in range(12):
        task = asyncio.ensure_future(plain.value("slow"))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.gather(*(plain.value("both", value=str(n)) for n in range(20))) == ["a"] * 20


async def test_a_cancelled_transaction_is_rolled_back(models: Models, plain: Plain) -> None:
    put = asyncio.Event()

    async def half() -> None:
        async with models.db.transaction() as on:
            await plain.run("put", on=on, name="half", value="1")
            put.set()
            await plain.value("slow", on=on)

    task = asyncio.ensure_future(half())
    await put.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await plain.all("names", str) == []


async def test_a_statement_may_take_two_seconds(plain: Plain) -> None:
    with pytest.raises(Unavailable):
        await plain.value("slow")
    assert await plain.value("both", value="x") == "a"


async def test_a_statement_cancelled_by_the_server_cancels_no_task_here(models: Models, plain: Plain) -> None:
    """The server's time limit ends first if this process was late to read the answer."""

    async def slow_under_a_limit() -> None:
        async with models.db.transaction() as on:
            await plain.run("limit", on=on)
            await plain.value("slow", on=on)

    with pytest.raises(Unavailable):
        await slow_under_a_limit()
    assert await plain.value("both", value="x") == "a"


async def test_lost_connections_cause_only_one_failure(models: Models, plain: Plain) -> None:
    await asyncio.gather(*(plain.value("both", value="x") for _ in range(10)))
    await rows(
        models,
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where pid <> pg_backend_pid() and datname = current_database()",
    )
    failures = 0
    for _ in range(10):
        try:
            await plain.value("both", value="x")
        except Unavailable:
            failures += 1
    assert failures <= 1


async def test_an_answer_that_arrived_while_this_process_was_paused_counts(
    models: Models, plain: Plain
) -> None:
    before = models.db.statements_run
    asked = asyncio.create_task(plain.value("brief"))
    await until(lambda: models.db.statements_run > before)
    # As after a pause of the machine: the event loop continues when the time limit is already over.
    threading.Event().wait(STATEMENT_SECONDS + 0.3)
    assert await asked == 1


async def test_the_time_limit_of_one_statement_does_not_end_the_next(servers: Servers) -> None:
    """The server cancels the first at just this moment, and the second has its connection."""
    db = await Db.open(servers.database_url, size=1)
    one = Plain(db, slow="select pg_sleep(3)", brief="select 1 from pg_sleep(0.2)")
    with pytest.raises(Unavailable):
        await one.value("slow")
    assert await one.value("brief") == 1
    await db.close()
