"""Migrations on a real PostgreSQL: order, once only, two processes at once, and after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from models.errors import Unavailable
from models.postgres.migrations import ADVISORY_LOCK, DIRECTORY, MigrationBlocked, migrate, pending
from models.processes.embedded import Embedded

ROOT = Path(__file__).parent.parent.parent.parent
FUNCTION = """create function twice(x integer) returns integer language plpgsql as $$
begin
    if x is null then return 0; end if;
    return 2 * x;  -- a literal percent: 100 %, and a colon: :name
end;
$$;"""


@pytest.fixture
def database(place: Path) -> Iterator[str]:
    with Embedded.start(place / "data", durable=False, redis=False) as embedded:
        yield embedded.database_url


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    directory = tmp_path / "steps [1]"
    directory.mkdir()
    (directory / "0002_more.sql").write_text(f"alter table notes add column x integer;\n{FUNCTION}")
    (directory / "0001_notes.sql").write_text("-- The first.\ncreate table notes (id integer primary key);")
    (directory / "0010_rows.sql").write_text("insert into notes values (1, twice(4));")
    return directory


def ask(database: str, question: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchall() if cursor.description else []


def test_files_are_applied_in_order_and_once(database: str, steps: Path) -> None:
    assert pending(database, steps) == ["0001_notes", "0002_more", "0010_rows"]
    migrate(database, steps)
    migrate(database, steps)
    assert ask(database, "select * from notes") == [(1, 8)]
    assert pending(database, steps) == []


def test_listing_pending_files_changes_nothing(database: str, steps: Path) -> None:
    pending(database, steps)
    assert ask(database, "select count(*) from information_schema.tables where table_schema = 'public'") == [
        (0,)
    ]


def test_only_a_new_file_is_applied(database: str, steps: Path) -> None:
    migrate(database, steps)
    (steps / "0011_later.sql").write_text("update notes set x = x + 1;")
    assert pending(database, steps) == ["0011_later"]
    migrate(database, steps)
    assert ask(database, "select x from notes") == [(9,)]


def test_an_unreadable_file_is_reported_and_one_that_is_applied_is_not_read(
    database: str, steps: Path
) -> None:
    migrate(database, steps)
    (steps / "0002_more.sql").write_bytes(b"-- \xff")
    migrate(database, steps)
    (steps / "0011_odd.sql").write_bytes(b"-- \xff")
    with pytest.raises(UnicodeDecodeError):
        migrate(database, steps)


def test_a_file_with_an_error_leaves_nothing_and_is_reported(database: str, steps: Path) -> None:
    (steps / "0003_faulty.sql").write_text("create table half (id integer); insert into nowhere values (1);")
    with pytest.raises(psycopg2.errors.UndefinedTable):
        migrate(database, steps)
    assert pending(database, steps) == ["0003_faulty", "0010_rows"]
    assert ask(database, "select to_regclass('half')") == [(None,)]


def test_of_two_processes_one_migrates_and_the_other_finds_nothing(database: str, steps: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(database, steps), range(4)))
    assert ask(database, "select * from notes") == [(1, 8)]


def test_the_second_waits_for_the_first(database: str, steps: Path) -> None:
    with closing(psycopg2.connect(database)) as first, ThreadPoolExecutor(1) as pool:
        first.cursor().callproc("pg_advisory_lock", [ADVISORY_LOCK])
        second = pool.submit(migrate, database, steps)
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while ask(database, waiting) == [(0,)]:
            assert not second.done()
        assert pending(database, steps) == ["0001_notes", "0002_more", "0010_rows"]
        first.rollback()
        first.cursor().callproc("pg_advisory_unlock", [ADVISORY_LOCK])
        second.result(timeout=30)
    assert pending(database, steps) == []


def test_a_killed_run_does_not_block_the_next(database: str, steps: Path) -> None:
    """Killed in the middle of a file: its lock row stays, its changes do not, and the next run applies all of
    it.
    """
    faulty = steps / "0010_rows.sql"
    whole = faulty.read_text()
    faulty.write_text(f"{whole} select pg_sleep(600);")
    code = (
        "import sys, pathlib, models.postgres.migrations as m; "
        "m.migrate(sys.argv[1], pathlib.Path(sys.argv[2]))"
    )
    with subprocess.Popen([sys.executable, "-c", code, database, str(steps)], cwd=ROOT) as run:
        while ask(database, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == [(0,)]:
            assert run.poll() is None
        os.kill(run.pid, signal.SIGKILL)
    ask(database, "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
    assert ask(database, "select count(*) from yoyo_lock") == [(1,)]
    faulty.write_text(whole)
    migrate(database, steps)
    assert ask(database, "select * from notes") == [(1, 8)]


def test_every_migration_has_a_number_of_its_own() -> None:
    """But for two whose names have been applied and stay."""
    numbers = Counter(file.name.partition("_")[0] for file in DIRECTORY.glob("*.sql"))
    assert [number for number, files in numbers.items() if files > 1] == ["0026"]


def test_the_products_own_migrations_apply(database: str) -> None:
    names = sorted(path.stem for path in DIRECTORY.glob("*.sql"))
    assert pending(database) == names
    migrate(database)
    assert pending(database) == []


def test_progress_is_reported_before_the_work(database: str, steps: Path) -> None:
    told: list[str] = []
    migrate(database, steps, echo=lambda text: told.append(f"{text} {len(pending(database, steps))}"))
    migrate(database, steps, echo=told.append)
    assert told == ["Bringing the database schema up to date: 0001_notes, 0002_more, 0010_rows. 3"]


def test_a_migration_waits_for_a_long_transaction_without_blocking_the_site(
    database: str, steps: Path
) -> None:
    migrate(database, steps)
    (steps / "0011_later.sql").write_text("alter table notes add column later integer;")
    told: list[str] = []
    with closing(psycopg2.connect(database)) as holder, ThreadPoolExecutor(1) as pool:
        holder.cursor().execute("select * from notes")
        run = pool.submit(migrate, database, steps, echo=told.append)
        while len(told) < 3:
            assert not run.done()
            # The site's statements wait behind the migration for at most as long as the migration waits.
            ask(database, "set statement_timeout = '1900ms'; select * from notes")
        holder.rollback()
        run.result(timeout=30)
    assert "Schema step 0011_later waits for a lock. Open transactions: pid " in told[1]
    assert pending(database, steps) == []


def test_a_blocked_migration_names_the_sessions_and_what_to_do(database: str, steps: Path) -> None:
    migrate(database, steps)
    (steps / "0011_later.sql").write_text("alter table notes add column later integer;")
    with closing(psycopg2.connect(database, application_name="report")) as holder:
        holder.cursor().execute("select * from notes")
        with pytest.raises(MigrationBlocked) as blocked:
            migrate(database, steps, patience_seconds=1)
        assert f"pid {holder.get_backend_pid()} (report idle in transaction" in str(blocked.value)
    assert "pg_terminate_backend" in str(blocked.value)
    assert pending(database, steps) == ["0011_later"]


def test_a_connection_lost_during_a_migration_is_reported(database: str, steps: Path) -> None:
    (steps / "0011_ends.sql").write_text("select pg_terminate_backend(pg_backend_pid());")
    with pytest.raises(Unavailable):
        migrate(database, steps)
    assert pending(database, steps) == ["0011_ends"]


def test_an_operator_command_reports_its_migration_on_standard_error(place: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(place), "DATA_DIR": str(place / "data")}
    command = [sys.executable, "server.py", "payments"]
    options = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "timeout": 60}
    first, second = (subprocess.run(command, **options) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "Bringing the database schema up to date: 0001_foundation" in first.stderr
    assert first.stdout == second.stdout
    assert "Bringing" not in first.stdout + second.stderr
