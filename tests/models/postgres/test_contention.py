"""Statements and transactions that wait for locked rows: they are repeated and not lost."""

from __future__ import annotations

import asyncio

import psycopg2
import pytest

from models.errors import Contended
from models.postgres import database as module
from models.postgres.database import Db, Transaction
from models.postgres.statements import Statement, Statements, UniqueViolation
from tests.support.scenes import until
from tests.support.servers import Servers


class Rows(Statements):
    """Statements of the test itself."""

    def __init__(self, db: Db) -> None:
        self._db = db
        texts = {
            "put": "insert into secrets values (%(name)s, '')",
            "add": "update secrets set value = value || %(value)s where name = %(name)s",
            "value": "select value from secrets where name = %(name)s",
            "serial": "set transaction isolation level serializable",
        }
        self._queries = {name: Statement(name, text, False) for name, text in texts.items()}

    async def made(self) -> Rows:
        for name in "ab":
            await self.run("put", name=name)
        return self


class Holder:
    """Another session that holds row a until it is released."""

    def __init__(self, servers: Servers) -> None:
        self._connection = psycopg2.connect(servers.database_url)
        self._cursor = self._connection.cursor()
        self._cursor.execute("update secrets set value = value || 'held ' where name = 'a'")

    def let_go(self) -> None:
        self._connection.commit()
        self._connection.close()


async def test_a_statement_that_waited_too_long_for_a_row_is_repeated(servers: Servers) -> None:
    db = await Db.open(servers.database_url, size=2)
    rows = await Rows(db).made()
    holder = Holder(servers)
    loop = asyncio.get_running_loop()
    began, asked = loop.time(), asyncio.create_task(rows.run("add", name="a", value="mine"))
    await until(lambda: loop.time() > began + 1.5)
    holder.let_go()
    assert await asked == 1
    assert await rows.value("value", name="a") == "held mine"
    await db.close()


async def test_a_transaction_that_must_not_be_lost_is_repeated_as_a_whole(servers: Servers) -> None:
    db = await Db.open(servers.database_url, size=2)
    rows = await Rows(db).made()
    holder, tries = Holder(servers), 0

    async def both(on: Transaction) -> str:
        nonlocal tries
        tries += 1
        await rows.run("add", on=on, name="b", value="mine")
        await rows.run("add", on=on, name="a", value="mine")
        return "done"

    asked = asyncio.create_task(db.transact(both))
    await until(lambda: tries == 3)
    holder.let_go()
    assert await asked == "done"
    assert [await rows.value("value", name=name) for name in "ab"] == ["held mine", "mine"]
    await db.close()


async def test_two_transactions_in_a_deadlock_are_both_done(servers: Servers) -> None:
    """PostgreSQL ends one of them after a second, or its wait times out."""
    db = await Db.open(servers.database_url, size=2)
    rows = await Rows(db).made()
    meet = asyncio.Barrier(2)
    is_first = {"ab": True, "ba": True}

    async def cross(on: Transaction, order: str) -> None:
        await rows.run("add", on=on, name=order[0], value=order)
        if is_first[order]:
            is_first[order] = False
            await meet.wait()
        await rows.run("add", on=on, name=order[1], value=order)

    await asyncio.gather(*(db.transact(lambda on, order=order: cross(on, order)) for order in ("ab", "ba")))
    for name in "ab":
        assert sorted((await rows.value("value", name=name)) or "") == sorted("abba")
    await db.close()


async def test_a_serialization_failure_is_repeated(servers: Servers) -> None:
    db = await Db.open(servers.database_url, size=2)
    rows = await Rows(db).made()
    meet, tries = asyncio.Barrier(2), 0

    async def change(on: Transaction, value: str) -> None:
        nonlocal tries
        tries += 1
        await rows.run("serial", on=on)
        await rows.value("value", on=on, name="a")
        if tries <= 2:
            await meet.wait()
        await rows.run("add", on=on, name="a", value=value)

    await asyncio.gather(*(db.transact(lambda on, value=value: change(on, value)) for value in "xy"))
    assert tries == 3
    assert sorted((await rows.value("value", name="a")) or "") == ["x", "y"]
    await db.close()


async def test_the_retries_end_and_other_failures_are_not_repeated(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.1)
    db = await Db.open(servers.database_url, size=2)
    rows = await Rows(db).made()
    holder, tries = Holder(servers), 0

    async def put(on: Transaction) -> None:
        nonlocal tries
        tries += 1
        await rows.run("put", on=on, name="b")

    with pytest.raises(Contended):
        await db.transact(lambda on: rows.run("add", on=on, name="a", value="mine"))
    with pytest.raises(UniqueViolation):
        await db.transact(put)
    assert tries == 1
    holder.let_go()
    await db.close()
