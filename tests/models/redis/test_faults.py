"""A Redis that rejects commands counts as down; an error in a command does not. All error replies are
real.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import redis
from redis.exceptions import NoScriptError, ResponseError

from models.errors import Unavailable
from models.redis.client import Bus
from models.redis.faults import RedisErrorReply, cause_of, fault_of
from tests.support.faults.redis_faults import FaultyRedis, bus_at
from tests.support.scenes import until

WRAPPED = "ERR Error running script (call to f_0): @user_script:1: @user_script: 1: -{} You cannot"


@pytest.mark.parametrize(
    "code",
    [
        *("READONLY", "BUSY", "LOADING", "MOVED", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOAUTH"),
        *("WRONGPASS", "OOM", "MISCONF", "NOPERM", "NOREPLICAS", "ASK", "DENIED"),
    ],
)
def test_an_error_of_the_server_is_an_outage(code: str) -> None:
    for text in (f"{code} some words", WRAPPED.format(code)):
        error = fault_of(text)
        assert isinstance(error, RedisErrorReply)
        assert isinstance(error, Unavailable)
        assert (error.code, error.status) == (code, 503)
        assert cause_of(error).startswith(f"{code}: ")


def test_any_other_error_is_an_error_of_the_command() -> None:
    for text in ("ERR unknown command", "WRONGTYPE Operation", "ERR Error running script -NOSUCH thing"):
        error = fault_of(text)
        assert type(error) is ResponseError
    assert isinstance(fault_of("NOSCRIPT No matching script"), NoScriptError)
    assert isinstance(fault_of("ERR max number of clients reached"), RedisErrorReply)


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[FaultyRedis]:
    with FaultyRedis.running(tmp_path / "data") as running:
        yield running


@contextmanager
def read_only(faulty: FaultyRedis) -> Iterator[None]:
    """A failover has made it a replica."""
    faulty.say("REPLICAOF", "127.0.0.1", "1")
    try:
        yield
    finally:
        faulty.say("REPLICAOF", "NO", "ONE")


@contextmanager
def no_snapshots(faulty: FaultyRedis, directory: Path) -> Iterator[None]:
    """Its disk cannot store the snapshot any more: its directory is gone."""
    faulty.say("CONFIG", "SET", "save", "3600 1")
    directory.rmdir()
    faulty.say("BGSAVE")
    try:
        yield
    finally:
        faulty.say("CONFIG", "SET", "save", "")


def fault(faulty: FaultyRedis, code: str, directory: Path) -> AbstractContextManager[None]:
    if code == "READONLY":
        return read_only(faulty)
    if code == "MISCONF":
        return no_snapshots(faulty, directory)
    return faulty.set("maxmemory", 1, 0)


def is_refused(faulty: FaultyRedis, code: str) -> bool:
    try:
        faulty.say("SET", "a", 1)
    except redis.exceptions.RedisError as error:
        return code.lower() in repr(error).lower() or code in ("OOM", "MISCONF", "READONLY")
    return False


@pytest.mark.parametrize("code", ["READONLY", "OOM", "MISCONF"])
async def test_scripts_and_commands_of_a_server_that_rejects_writes(
    faulty: FaultyRedis, code: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with bus_at(faulty.url, "p") as bus:
        assert await bus.script("room.beat", "p", 1000, 6000) == [0]
        with fault(faulty, code, tmp_path / "data" / "redis"):
            await until(lambda: is_refused(faulty, code))
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await bus.script("room.beat", "p", 2000, 6000)
                with pytest.raises(Unavailable):
                    await bus.command("set", "a", "1")
        await bus.script("room.beat", "p", 3000, 6000)
        await bus.command("set", "a", "1")
    said = [one.message for one in caplog.records if one.levelno == logging.WARNING]
    assert sum(one.startswith(f"redis away: {code}: ") for one in said) == 1


async def test_after_a_failover_both_connections_are_replaced(faulty: FaultyRedis) -> None:
    async with bus_at(faulty.url, "p") as bus:
        again: list[int] = []
        bus.subscriber.on_reconnect = lambda: again.append(1)
        await bus.open("ns:a", lambda _channel, _news: None)
        before = faulty.proxy.accepted
        with read_only(faulty), pytest.raises(Unavailable):
            await bus.script("room.beat", "p", 1000, 6000)
        await until(lambda: again)
        await bus.script("room.beat", "p", 2000, 6000)
        assert faulty.proxy.accepted == before + 2


async def test_a_failover_to_another_server(faulty: FaultyRedis, tmp_path: Path) -> None:
    """As behind one address: the old primary stays up and rejects writes, new connections lead to the new
    one.
    """
    with FaultyRedis.running(tmp_path / "other") as other:
        async with bus_at(faulty.url, "near") as near, bus_at(faulty.url, "far") as far:
            heard: list[bytes] = []
            again: list[int] = []
            far.subscriber.on_reconnect = lambda: again.append(1)
            await near.open("ns:a", lambda _channel, _news: None)
            await far.open("ns:a", lambda _channel, news: heard.append(news))
            faulty.proxy.target = other.proxy.target
            faulty.say("REPLICAOF", "127.0.0.1", "1")
            # Whichever process writes first, the other one finds out with its own next heartbeat.
            for bus in (near, far):
                with pytest.raises(Unavailable):
                    await bus.script("room.beat", bus.process_id, 1000, 6000)
                await bus.script("room.beat", bus.process_id, 1000, 6000)
            await until(lambda: again and near.subscriber.is_listening)
            near.publish("ns:a", b"1")
            await until(lambda: heard == [b"1"])
            assert other.say("ZCARD", "ns:processes") == 2


async def test_a_password_that_was_changed(faulty: FaultyRedis, caplog: pytest.LogCaptureFixture) -> None:
    faulty.say("ACL", "SETUSER", "site", "on", ">secret", "~*", "&*", "+@all")
    url = faulty.url.replace("redis://", "redis://site:secret@")
    async with bus_at(url, "p") as bus:
        again: list[int] = []
        bus.subscriber.on_reconnect = lambda: again.append(1)
        await bus.open("ns:a", lambda _channel, _news: None)
        said = {"redis away: WRONGPASS: it rejects the user or the password of REDIS_URL"}
        faulty.say("ACL", "DELUSER", "site")
        faulty.say("ACL", "SETUSER", "site", "on", ">new", "~*", "&*", "+@all")
        await until(lambda: is_away(bus))
        await until(lambda: said.intersection(caplog.messages))
        assert not any("secret" in message for message in caplog.messages)
        faulty.say("ACL", "SETUSER", "site", ">secret")
        await until(lambda: again)
        assert await bus.command("ping") == b"PONG"


async def is_away(bus: Bus) -> bool:
    try:
        await bus.command("get", "a")
    except Unavailable:
        return True
    return False


async def test_a_missing_password(faulty: FaultyRedis) -> None:
    with faulty.set("requirepass", "secret", ""):
        async with bus_at(faulty.url, "p") as bus:
            with pytest.raises(Unavailable):
                await bus.command("ping")
        faulty.direct_url = faulty.direct_url.replace("unix://", "unix://:secret@")
    faulty.direct_url = faulty.direct_url.replace(":secret@", "")


async def test_too_many_clients(faulty: FaultyRedis) -> None:
    async with bus_at(faulty.url, "p") as first, bus_at(faulty.url, "q") as bus:
        await first.command("ping")
        await first.command("config", "set", "maxclients", 1)
        with pytest.raises(Unavailable):
            await bus.command("ping")
        await first.command("config", "set", "maxclients", 100)
        assert await bus.command("ping") == b"PONG"


async def test_a_script_of_another_program_that_never_ends(faulty: FaultyRedis) -> None:
    async with bus_at(faulty.url, "p") as bus, bus_at(faulty.url, "q") as other:
        await bus.command("config", "set", "lua-time-limit", 1)
        await other.command("ping")
        endless = asyncio.ensure_future(other.command("eval", "while true do end", 0))
        await until(lambda: is_away(bus))
        faulty.say("SCRIPT", "KILL")
        with pytest.raises((ResponseError, Unavailable)):
            await endless
        assert await bus.command("get", "a") is None


async def test_a_server_of_another_protocol(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with bus_at(f"redis://127.0.0.1:{port}", "p") as bus:
        with pytest.raises(Unavailable):
            await bus.command("ping")
    server.close()
    assert any("does not speak the protocol of Redis" in message for message in caplog.messages)
