"""Connections over TCP that are refused, reset, closed or silent, and the state of the event loop.

The loop is uvloop, as in production.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest
import uvloop

from models.errors import Unavailable
from models.postgres import database as module
from models.postgres.async_connection import connect, read_url
from models.postgres.database import Db
from models.postgres.pool import IDLE_SECONDS, STATEMENT_SECONDS
from models.postgres.statements import Statement, Statements, UniqueViolation
from tests.machines.faults.fault_proxy import FaultProxy
from tests.support.pace import within
from tests.support.scenes import until
from tests.support.servers import Servers

BIG = "x" * 8_000_000


class Asked(Statements):
    """Statements of the test itself."""

    def __init__(self, db: Db) -> None:
        self._db = db
        texts = {
            "one": "select 1 as one",
            "pid": "select pg_backend_pid()",
            "put": "insert into secrets values (%(name)s, %(value)s)",
            "slow_put": "insert into secrets select %(name)s, pg_sleep(1)::text",
            "count": "select count(*) from secrets",
            "length": "select length(%(value)s)",
            "read_only": "set default_transaction_read_only = on",
            "idle": "set idle_in_transaction_session_timeout = 50",
        }
        self._queries = {name: Statement(name, text, False) for name, text in texts.items()}


@pytest.fixture
def proxy(servers: Servers) -> Iterator[FaultProxy]:
    (directory,) = parse_qs(urlsplit(servers.database_url).query)["host"]
    with FaultProxy(f"{directory}/.s.PGSQL.5432") as proxy:
        yield proxy


def url(proxy: FaultProxy, host: str = "127.0.0.1") -> str:
    return f"postgresql://postgres@{host}:{proxy.port}/postgres"


def run(work: Callable[[], Awaitable[None]]) -> None:
    """Runs on uvloop; errors in callbacks count too."""
    faults: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with asyncio.timeout(30):
            await work()
            await check_sockets()

    uvloop.run(main())
    assert faults == []


async def check_sockets() -> None:
    """New connections get the numbers of the closed descriptors, and none of them is dropped."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(30)]
    assert [await reader.read() for reader, _ in pairs] == [b"hello"] * 30
    for _, writer in pairs:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("fault", ["refused", "reset", "silent", "unreachable"])
def test_a_failed_connect_leaves_nothing_in_the_loop(proxy: FaultProxy, fault: Any) -> None:
    async def work() -> None:
        db = await Db.open(url(proxy), size=5)
        with proxy.fault(fault, lost=True):
            asked = [Asked(db).value("one") for _ in range(20)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            assert all(isinstance(one, Unavailable) for one in answers)
            await check_sockets()
        assert await Asked(db).value("one") == 1
        await db.close()

    run(work)


def is_under_way(servers: Servers) -> bool:
    connection = psycopg2.connect(servers.database_url)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep'")
        (number,) = cursor.fetchone()
    connection.close()
    return bool(number)


@pytest.mark.parametrize("is_reset", [True, False])
@pytest.mark.parametrize("name", ["slow_put", "length"])
def test_a_connection_lost_during_a_statement_is_reported_at_once(
    proxy: FaultProxy, servers: Servers, monkeypatch: pytest.MonkeyPatch, is_reset: bool, name: str
) -> None:
    """While waiting for an answer, and while a statement is still being sent."""
    monkeypatch.setattr(module, "SOON_SECONDS", STATEMENT_SECONDS)

    async def work() -> None:
        db = await Db.open(url(proxy), size=1)
        if name == "length":
            proxy.begin("deaf")
        asked = asyncio.create_task(Asked(db).value(name, name="a", value=BIG))
        await until(lambda: db.statements_run == 1)
        await until(lambda: name == "length" or is_under_way(servers))
        began = asyncio.get_running_loop().time()
        proxy.cut(reset=is_reset)
        proxy.heal()
        if name == "slow_put":
            with pytest.raises(Unavailable):
                await asked
        else:
            assert await asked == len(BIG)  # It only reads, and was sent again.
        assert asyncio.get_running_loop().time() - began < within(1.5)
        assert await Asked(db).value("one") == 1
        await db.close()
        # The server finishes the statement of a lost connection; its row must not appear in the next test.
        await until(lambda: not is_under_way(servers))

    run(work)


@pytest.mark.parametrize("is_reset", [True, False])
def test_closed_idle_connections_cause_no_failure(proxy: FaultProxy, is_reset: bool) -> None:
    async def work() -> None:
        db = await Db.open(url(proxy), size=4)
        ask = Asked(db)
        for number in range(3):
            await asyncio.gather(*(ask.value("one") for _ in range(4)))
            proxy.cut(reset=is_reset)
            assert await ask.run("put", name=f"at once {number}", value="x") == 1
            proxy.cut(reset=is_reset)
            async with db.transaction() as on:
                assert await ask.run("put", on=on, name=f"in one {number}", value="x") == 1
        await until(lambda: proxy.open_connections == 1)
        assert await ask.value("count") == 6
        await db.close()

    run(work)


def test_a_write_whose_answer_was_lost_is_not_repeated(proxy: FaultProxy, servers: Servers) -> None:
    async def work() -> None:
        db = await Db.open(url(proxy), size=1)
        proxy.hold_answers()
        asked = asyncio.create_task(Asked(db).run("put", name="once", value="x"))
        direct = await Db.open(servers.database_url, size=1)
        await until(lambda: is_written(direct))
        proxy.cut()
        with pytest.raises(Unavailable):
            await asked
        assert await Asked(db).value("count") == 1
        await db.close()
        await direct.close()

    async def is_written(db: Db) -> bool:
        return bool(await Asked(db).value("count"))

    run(work)


def test_every_address_of_a_host_name_is_tried(proxy: FaultProxy) -> None:
    """localhost is ::1 first, where nothing listens. libpq opens another socket for 127.0.0.1."""

    async def work() -> None:
        parameters = read_url(url(proxy)) | {"host": "localhost,127.0.0.1", "hostaddr": "::1,127.0.0.1"}
        for _ in range(10):
            connection = await connect(parameters)
            connection.close()
        several = read_url(f"postgresql://postgres@nowhere.invalid,localhost:{proxy.port}/postgres")
        several["port"] = f"1,{proxy.port}"
        connection = await connect(several)
        connection.close()

    run(work)


@pytest.mark.parametrize(
    "changes",
    [{"host": "nowhere.invalid"}, {"sslmode": "require"}, {"dbname": "nothing"}, {"user": "nobody"}],
)
def test_a_server_that_rejects_us_is_unavailable(proxy: FaultProxy, changes: dict[str, str]) -> None:
    async def work() -> None:
        with pytest.raises(Unavailable):
            await Db.open(psycopg2.extensions.make_dsn(url(proxy), **changes))

    run(work)


def test_a_violated_constraint_is_reported_however_many_sockets_are_open(servers: Servers) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    many = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]

    async def work() -> None:
        db = await Db.open(servers.database_url, size=1)
        await Asked(db).run("put", name="a", value="x")
        with pytest.raises(UniqueViolation):
            await Asked(db).run("put", name="a", value="x")
        await db.close()

    try:
        run(work)
    finally:
        for one in many:
            os.close(one)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_idle_for_long_is_not_reused(servers: Servers) -> None:
    """A firewall may have dropped it silently."""

    async def work() -> None:
        db = await Db.open(servers.database_url, size=1)
        first = await Asked(db).value("pid")
        async with db.link() as link:
            pass
        assert await Asked(db).value("pid") == first
        link.used_at -= IDLE_SECONDS + 1
        assert await Asked(db).value("pid") != first
        await db.close()

    run(work)


def test_connections_to_a_server_that_became_a_standby_are_closed(servers: Servers) -> None:
    async def work() -> None:
        db = await Db.open(servers.database_url, size=1)
        await Asked(db).run("read_only")
        with pytest.raises(Unavailable):
            await Asked(db).run("put", name="a", value="x")
        assert await Asked(db).run("put", name="a", value="x") == 1
        await db.close()

    run(work)


def test_a_transaction_ended_by_the_server_is_unavailable(servers: Servers) -> None:
    """As after a pause of this process: the driver calls that an internal error."""

    async def pause_in_transaction(db: Db) -> None:
        async with db.transaction() as on:
            connection = on.link.connection
            await until(lambda: connection.closed)
            await Asked(db).value("one", on=on)

    async def work() -> None:
        db = await Db.open(servers.database_url, size=1)
        await Asked(db).run("idle")
        with pytest.raises(Unavailable):
            await pause_in_transaction(db)
        assert await Asked(db).value("one") == 1
        await db.close()

    run(work)


@pytest.mark.parametrize("ports", ["1,2", "1,2,3,4"])
def test_hosts_and_ports_that_do_not_match_are_reported_by_libpq(ports: str) -> None:
    async def work() -> None:
        with pytest.raises(psycopg2.OperationalError, match="port"):
            await connect({"host": "127.0.0.1,127.0.0.2,127.0.0.3", "port": ports})

    run(work)
