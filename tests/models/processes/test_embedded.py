"""The embedded servers: real ones, started, stopped, killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from models.processes.embedded import Embedded, EmbeddedError, EmbeddedInUse, EmbeddedUnwritable
from models.processes.service_urls import servers
from models.settings.config import Config
from tests.support.pace import within

ROOT = Path(__file__).parent.parent.parent.parent
OWNER = """
import sys, time
from pathlib import Path
from models.processes.embedded import Embedded
embedded = Embedded.start(Path(sys.argv[1]), durable=False)
print(*embedded.pids.values(), flush=True)
sys.stdin.read()
embedded.stop()
"""


def ask(embedded: Embedded, question: str) -> list[tuple[object, ...]]:
    with (
        closing(psycopg2.connect(embedded.database_url)) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(question)
        return cursor.fetchall() if cursor.description else []


def ping(embedded: Embedded) -> bool:
    with redis.Redis.from_url(embedded.redis_url) as client:
        return bool(client.ping())


def soon(is_so: Callable[[], bool], seconds: float = 10) -> bool:
    """Polls until it is true; the limit only keeps a failing test from hanging."""
    deadline = time.monotonic() + seconds
    turn = threading.Event()
    while time.monotonic() < deadline:
        with suppress(psycopg2.Error, redis.RedisError):
            if is_so():
                return True
        turn.wait(0.02)
    return False


@pytest.fixture
def data(place: Path) -> Path:
    return place / "data"


@pytest.fixture
def embedded(data: Path) -> Iterator[Embedded]:
    with Embedded.start(data, durable=False) as running:
        yield running


@pytest.fixture
def owner(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has started the servers and holds the directory, until its input ends."""
    command = [sys.executable, "-c", OWNER, str(data)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        yield process


def pids(owner: subprocess.Popen[str]) -> list[int]:
    assert owner.stdout
    return [int(word) for word in owner.stdout.readline().split()]


def test_both_answer_and_data_survive_a_restart(data: Path) -> None:
    with Embedded.start(data) as first:
        ask(first, "create table kept as select 7 as n")
        assert ping(first)
    with Embedded.start(data) as second:
        assert ask(second, "select n from kept") == [(7,)]


def test_writes_are_durable_by_default(data: Path) -> None:
    with Embedded.start(data, redis=False) as running:
        names = "'fsync', 'synchronous_commit', 'full_page_writes', 'TimeZone'"
        settings = f"select setting from pg_settings where name in ({names}) order by lower(name)"
        assert ask(running, settings) == [("on",), ("on",), ("on",), ("UTC",)]


def test_postgresql_allows_the_connections_of_all_workers(data: Path) -> None:
    config = Config(data_dir=data, redis_url="redis://localhost", workers=64)
    with (
        servers(config) as urls,
        closing(psycopg2.connect(urls.database)) as connection,
        connection.cursor() as cursor,
    ):
        cursor.callproc("current_setting", ["max_connections"])
        assert int(cursor.fetchone()[0]) >= 64 * 10 + 20


def test_nothing_listens_but_private_sockets(embedded: Embedded, data: Path) -> None:
    assert (data / "run").stat().st_mode & 0o077 == 0
    for pid in embedded.pids.values():
        assert psutil.Process(pid).net_connections("inet") == []


def test_a_start_and_a_stop_are_quick(data: Path) -> None:
    Embedded.start(data).stop()
    begun = time.monotonic()
    running = Embedded.start(data)
    started = time.monotonic()
    running.stop()
    assert started - begun < within(2)
    assert time.monotonic() - started < within(5)


def test_stop_ends_with_open_connections_and_twice_is_harmless(embedded: Embedded) -> None:
    children = [psutil.Process(pid) for pid in embedded.pids.values()]
    with closing(psycopg2.connect(embedded.database_url)), redis.Redis.from_url(embedded.redis_url) as client:
        client.ping()
        embedded.stop()
        embedded.stop()
    assert not any(child.is_running() for child in children)


def test_a_directory_in_use_by_ourselves_is_refused_too(embedded: Embedded, data: Path) -> None:
    with pytest.raises(EmbeddedInUse):
        Embedded.start(data)


def test_a_directory_in_use_is_refused_with_the_pid(owner: subprocess.Popen[str], data: Path) -> None:
    pids(owner)
    with pytest.raises(EmbeddedInUse) as refusal:
        Embedded.start(data)
    expected = f"The data directory {data} is in use by another Napalm Sky (pid {owner.pid}). Stop it or set"
    assert str(refusal.value) == f"{expected} DATA_DIR."


def test_a_directory_that_cannot_be_written_is_refused_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        EmbeddedUnwritable, match=r"cannot be written .*Make it writable for this user or set DATA_DIR"
    ):
        Embedded.start(tmp_path / "file" / "data")


def test_a_directory_of_something_else_is_left_alone(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "mine.txt").write_text("keep")
    with pytest.raises(EmbeddedError, match="Move it away"):
        Embedded.start(data, redis=False)
    assert (data / "postgres" / "mine.txt").read_text() == "keep"


def test_a_failed_start_says_why_and_leaves_nothing_running(data: Path) -> None:
    Embedded.start(data, durable=False).stop()
    version = data / "postgres" / "PG_VERSION"
    whole = version.read_text()
    version.write_text("9\n")
    with pytest.raises(EmbeddedError, match=r"PG_VERSION|initialized by PostgreSQL version"):
        Embedded.start(data, durable=False)
    version.write_text(whole)
    Embedded.start(data, durable=False).stop()


def test_a_start_finds_the_orphans_of_a_killed_process(owner: subprocess.Popen[str], data: Path) -> None:
    orphans = [psutil.Process(pid) for pid in pids(owner)]
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    assert all(orphan.is_running() for orphan in orphans)
    with Embedded.start(data, durable=False) as running:
        assert ask(running, "select 1") == [(1,)]
        assert ping(running)
        assert not any(orphan.is_running() and orphan.status() != psutil.STATUS_ZOMBIE for orphan in orphans)


def test_a_start_after_a_kill_of_everything_finds_no_leftovers(
    owner: subprocess.Popen[str], data: Path
) -> None:
    for pid in (owner.pid, *pids(owner)):
        os.kill(pid, signal.SIGKILL)
    owner.wait()
    stale = data / "postgres" / "postmaster.pid"
    lines = stale.read_text().splitlines()
    stale.write_text("\n".join([str(os.getpid()), *lines[1:]]))  # Its pid belongs to another process by now.
    with Embedded.start(data, durable=False) as running:
        assert ask(running, "select 1") == [(1,)]
        assert ping(running)


def test_a_child_that_dies_is_restarted(embedded: Embedded) -> None:
    before = embedded.pids
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    assert soon(lambda: ask(embedded, "select 1") == [(1,)] and ping(embedded))
    assert not set(before.values()) & set(embedded.pids.values())


def test_an_unrelated_process_in_the_directory_is_not_touched(data: Path) -> None:
    Embedded.start(data, durable=False).stop()
    with subprocess.Popen(["cat"], cwd=data / "postgres", stdin=subprocess.PIPE) as stranger:
        Embedded.start(data, durable=False).stop()
        assert stranger.poll() is None


def test_a_deep_or_oddly_named_directory_gets_a_short_path_for_its_sockets(tmp_path: Path) -> None:
    for name in ("deep/" * 24 + "data", "odd, näme"):
        with Embedded.start(tmp_path / name, durable=False) as running:
            assert ask(running, "select 1") == [(1,)]
            assert ping(running)
            where = Path(running.redis_url.removeprefix("unix://")).parent
            assert len(str(where)) < 90
        assert not where.exists()


def test_children_get_no_secrets_and_no_interrupt(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_not_for_children")
    with Embedded.start(data, durable=False) as running:
        for pid in running.pids.values():
            assert "STRIPE_SECRET_KEY" not in psutil.Process(pid).environ()
            assert os.getsid(pid) != os.getsid(0)


def test_a_rejected_statement_leaves_nothing_in_the_log(embedded: Embedded, data: Path) -> None:
    with pytest.raises(psycopg2.Error):
        ask(embedded, "select 'private words'::uuid")
    assert "private words" not in (data / "postgres.log").read_text()


def test_redis_stores_nothing_and_evicts_nothing(embedded: Embedded) -> None:
    with redis.Redis.from_url(embedded.redis_url, decode_responses=True) as client:
        kept = client.config_get("save") | client.config_get("maxmemory-policy")
    assert kept == {"save": "", "maxmemory-policy": "noeviction"}


def test_one_server_can_run_without_the_other(data: Path) -> None:
    with Embedded.start(data, postgres=False) as running:
        assert ping(running)
        with pytest.raises(EmbeddedError, match="PostgreSQL was not requested"):
            assert running.database_url


def test_sockets_are_gone_after_a_stop(data: Path) -> None:
    running = Embedded.start(data, durable=False)
    where = running.redis_url.removeprefix("unix://")
    running.stop()
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(OSError, match=r"No such file|refused"):
        client.connect(where)
