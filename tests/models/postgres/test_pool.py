"""The pool of connections: turns, lost and cancelled callers, closing."""

from __future__ import annotations

import asyncio
import socket

import psycopg2
import pytest

from models.errors import Unavailable
from models.postgres.database import Db
from models.postgres.pool import STATEMENT_SECONDS, Pool
from tests.support.pace import within
from tests.support.plain_statements import Plain
from tests.support.scenes import until
from tests.support.servers import Servers


async def test_a_missing_server_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await Db.open("postgresql:///nothing?host=/nowhere")


async def test_more_callers_than_connections_wait_for_their_turn(servers: Servers) -> None:
    db = await Db.open(servers.database_url, size=2)
    plain = Plain(db, one="select 1 as one")
    assert await asyncio.gather(*(plain.value("one") for _ in range(50))) == [1] * 50
    assert db.statements_run == 50
    await db.close()


async def test_an_ended_session_fails_neither_its_statement_nor_a_waiting_one(
    servers: Servers,
) -> None:
    db = await Db.open(servers.database_url, size=1)
    one = Plain(db, slow="select pg_sleep(1.5)", quick="select 1")
    holder = asyncio.create_task(one.value("slow"))
    await until(lambda: db._pool.is_taken)
    waiting = asyncio.create_task(one.value("quick"))
    with psycopg2.connect(servers.database_url) as other, other.cursor() as cursor:
        end = "select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%'"
        await until(lambda: cursor.execute(end) or cursor.rowcount)
    other.close()
    assert await waiting == 1
    assert await holder == ""
    await db.close()


async def test_a_connection_given_to_a_cancelled_caller_goes_to_the_next(servers: Servers) -> None:
    pool = Pool(servers.database_url, 1)
    link = await pool.take()
    first, second = asyncio.create_task(pool.take()), asyncio.create_task(pool.take())
    await asyncio.sleep(0)
    pool.give(link)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second is link
    pool.give(link)
    await pool.close()


async def test_close_waits_for_running_statements(servers: Servers) -> None:
    db = await Db.open(servers.database_url, size=2)
    asked = asyncio.create_task(Plain(db, brief="select 1 from pg_sleep(0.1)").value("brief"))
    await until(lambda: db.statements_run)
    await db.close()
    assert asked.done()
    assert await asked == 1


async def test_a_caller_that_waits_while_another_cannot_connect_fails_with_it() -> None:
    """A server that accepts connections and does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        pool = Pool(f"postgresql://nobody@127.0.0.1:{server.getsockname()[1]}/nothing", 1)
        async with asyncio.timeout(within(STATEMENT_SECONDS + 1)):
            took = await asyncio.gather(*(pool.take() for _ in range(4)), return_exceptions=True)
    assert all(isinstance(one, Unavailable) for one in took)


async def test_after_close_no_connection_is_available(servers: Servers) -> None:
    db = await Db.open(servers.database_url, size=1)
    one = Plain(db, one="select 1")
    async with db.transaction() as on:
        waiting = asyncio.create_task(one.value("one"))
        await asyncio.sleep(0)
        ending = asyncio.create_task(db.close())
        await asyncio.sleep(0)
        assert await one.value("one", on=on) == 1
    async with asyncio.timeout(within(1)):
        await ending
    with pytest.raises(Unavailable):
        await waiting
    with pytest.raises(Unavailable):
        await one.value("one")


async def test_a_caller_without_time_left_to_connect_affects_no_other(servers: Servers) -> None:
    pool = Pool(servers.database_url, 2)
    link = await pool.take()
    pool.give(link)
    with pytest.raises(Unavailable):
        await pool._connect(asyncio.get_running_loop().time(), has_waited=True)
    assert await pool.take() is link
    pool.give(link)
    await pool.close()


async def test_a_server_that_allows_fewer_connections_serves_all_with_those(servers: Servers) -> None:
    admin = await Db.open(servers.database_url, size=1)
    role = Plain(admin, few="create role few login connection limit 2", none="drop role few")
    await role.run("few")
    db = await Db.open(psycopg2.extensions.make_dsn(servers.database_url, user="few"), size=10)
    one = Plain(db, one="select 1")
    assert await asyncio.gather(*(one.value("one") for _ in range(50))) == [1] * 50
    await db.close()

    async def is_dropped() -> bool:
        await role.run("none")
        return True

    await until(is_dropped)
    await admin.close()
