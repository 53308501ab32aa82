"""The migrations of the schema, `sql/migrations/NNNN_*.sql`, forward only.

yoyo's own tables record what has been applied. One process at a time migrates: it holds a PostgreSQL advisory
lock, which the server releases when the process dies; the others wait and then find nothing to do. A file and
the record that it was applied are one transaction, so a kill leaves neither; a lock row left by a killed run
is removed, since the holder of the advisory lock is alone. A migration waits for a table lock for one second
only, because the site's statements queue behind it; it is retried for a minute. A file with an error is
reported and never skipped.

Blocking: for the command line and for the start, before the event loop runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from glob import escape
from pathlib import Path
from typing import Any

import psycopg2
from yoyo import internalmigrations, read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import DatabaseURI
from yoyo.migrations import Migration, MigrationList, default_migration_table

from models.errors import Unavailable
from models.postgres.connection_errors import ENCODING, NOT_ALLOWED, cause_of
from models.postgres.statements import statement

DIRECTORY = Path(__file__).parent.parent.parent / "sql" / "migrations"
ADVISORY_LOCK = 0x6E6170616C6D  # "napalm": any number will do, as long as every process uses the same one.
NEWER = (
    "DATABASE_URL: the schema is newer than this version of the site. Start the version that made it "
    "(or a newer "
    "one), or restore a backup of before."
)
TAKES_NO_CHANGES = (
    "DATABASE_URL: the database takes no changes. If `server.py move` has moved it, set DATABASE_URL to the "
    "new one, or run `server.py move --cancel`."
)
NOWHERE = DatabaseURI("postgresql", None, None, None, None, None, {})


# Longer than any statement of the site waits behind a waiting migration.
LOCK_TIMEOUT = (
    "set lock_timeout = '1s'; set statement_timeout = 0; set idle_in_transaction_session_timeout = 0"
)
PATIENCE_SECONDS = 60.0
OTHERS_SECONDS = 600.0
PAUSE_SECONDS = 1.0
FOR_THE_OPERATOR = (
    psycopg2.errors.InsufficientPrivilege,
    psycopg2.errors.DuplicateTable,
    psycopg2.OperationalError,
)
BLOCKED = (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected)
ReportProgress = Callable[[str], object]


class MigrationBlocked(Exception):
    """Other sessions hold locks that the next migration needs; the message says which, and what to do."""


def migrate(
    database_url: str,
    directory: Path = DIRECTORY,
    *,
    echo: ReportProgress = lambda _: None,
    patience_seconds: float = PATIENCE_SECONDS,
    names: Collection[str] | None = None,
) -> None:
    """Applies the pending migrations, or those of `names` only. `echo` gets a progress message before
    anything that may take time.

    Raises: Unavailable (unreachable, lost, no permission, another encoding or program, a newer schema),
    MigrationBlocked, psycopg2.Error (an error in a file).
    """
    with closing(_connect(database_url)) as guard, _backend(database_url) as backend:
        try:
            guard.autocommit = True
            if guard.get_parameter_status("server_encoding") != "UTF8":
                raise Unavailable(f"DATABASE_URL: {ENCODING}.")
            _take_turn(guard, echo)
            _make_lock_table(backend)
            with backend.lock():
                files = read_migrations(escape(str(directory)))
                if names is not None:
                    files = files.filter(lambda step: step.id in names)
                _apply(backend, guard, files, echo, patience_seconds)
        except psycopg2.Error as error:
            if guard.closed or backend.connection.closed:
                raise Unavailable("The database was lost while its schema was being changed.") from error
            if isinstance(error, psycopg2.errors.ReadOnlySqlTransaction):
                raise Unavailable(TAKES_NO_CHANGES) from error
            if isinstance(error, FOR_THE_OPERATOR):
                raise Unavailable(cause_of(error)) from error
            raise


def _make_lock_table(backend: _Backend) -> None:
    try:
        backend.create_lock_table()
        backend.break_lock()
    except psycopg2.errors.UndefinedTable as error:
        # yoyo swallows the error when it may not create the table.
        raise Unavailable(NOT_ALLOWED) from error


def _connect(database_url: str) -> Any:
    try:
        return psycopg2.connect(database_url, connect_timeout=5)
    except psycopg2.OperationalError as error:
        raise Unavailable(cause_of(error)) from error


def _take_turn(guard: Any, echo: ReportProgress) -> None:
    """Waits for another process that migrates. Raises: MigrationBlocked."""
    deadline = time.monotonic() + OTHERS_SECONDS
    cursor = guard.cursor()
    cursor.execute("set lock_timeout = '5s'; set statement_timeout = 0")
    while True:
        try:
            return cursor.callproc("pg_advisory_lock", [ADVISORY_LOCK])  # type: ignore[no-any-return]
        except psycopg2.errors.LockNotAvailable as error:
            text = f"Another process is changing the schema. {_others(guard)}"
            if time.monotonic() > deadline:
                raise MigrationBlocked(text) from error
            echo(f"{text} Waiting for it.")


def _apply(
    backend: _Backend, guard: Any, files: MigrationList, echo: ReportProgress, patience_seconds: float
) -> None:
    """Applies one file. If it fails for a lock it has changed nothing, and is retried."""
    if set(backend.get_applied_migration_hashes()) - {step.hash for step in files}:
        raise Unavailable(NEWER)
    if names := [step.id for step in _pending(backend, files)]:
        echo(f"Bringing the database schema up to date: {', '.join(names)}.")
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return backend.apply_migrations(backend.to_apply(files))  # type: ignore[no-any-return]
        except BLOCKED as error:
            name = backend.to_apply(files)[0].id
            text = f"Schema step {name} waits for a lock. {_others(guard, backend.connection)}"
            if time.monotonic() > deadline:
                raise MigrationBlocked(
                    f"{text} Then start again; nothing of this step was applied."
                ) from error
            echo(f"{text} Trying again.")
            time.sleep(PAUSE_SECONDS)


def _others(*own: Any) -> str:
    """The oldest transactions of other sessions, and how to end one."""
    cursor = own[0].cursor()
    pids = [connection.get_backend_pid() for connection in own]
    cursor.execute(statement("schema", "open_transactions").text, {"own_pids": pids})
    found = [
        f"pid {pid} ({program} {state}, {seconds} s)" for pid, program, state, seconds in cursor.fetchall()
    ]
    if not found:
        return "A superuser finds in pg_stat_activity which session holds it."
    return f"Open transactions: {', '.join(found)}. Let them end, or run: select pg_terminate_backend(PID);"


def pending(database_url: str, directory: Path = DIRECTORY) -> list[str]:
    """The names of the files not applied yet, in order; read only. Empty: the schema is up to date."""
    migrations = read_migrations(escape(str(directory)))
    with _backend(database_url) as backend:
        if internalmigrations.needs_upgrading(backend):
            return [migration.id for migration in migrations]
        return [migration.id for migration in _pending(backend, migrations)]


def known(directory: Path = DIRECTORY) -> list[str]:
    """The names of all migrations of this version, in order."""
    return sorted(file.stem for file in directory.glob("*.sql"))


def _pending(backend: _Backend, files: MigrationList) -> MigrationList:
    """The files not applied yet, in order. Only these are parsed, which takes most of a start's time."""
    applied = set(backend.get_applied_migration_hashes())
    for migration in files:
        if migration.hash not in applied:
            migration.load()  # yoyo would skip a file that it cannot read; here it is an error.
    return backend.to_apply(files)


@contextmanager
def _backend(database_url: str) -> Iterator[_Backend]:
    with closing(_Backend(database_url)) as backend:
        yield backend


class _Backend(PostgresqlBackend):  # type: ignore[misc]
    """yoyo's backend with two changes: libpq reads the URL, and a file is one step."""

    create_lock_table_sql = PostgresqlBackend.create_lock_table_sql.replace("TABLE", "TABLE IF NOT EXISTS", 1)

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        super().__init__(NOWHERE, default_migration_table)

    def connect(self, dburi: DatabaseURI) -> psycopg2.extensions.connection:
        """Connects. libpq reads every form of URL (sockets, several hosts, sslmode); yoyo's parser knows only
        some.
        """
        connection = psycopg2.connect(self.database_url)
        connection.autocommit = True
        connection.cursor().execute(LOCK_TIMEOUT)
        return connection

    def close(self) -> None:
        self.connection.close()

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        """Applies the whole file at once (it is not split at semicolons), in one transaction with its
        record.
        """
        with self.transaction():
            self.cursor().execute(Path(migration.path).read_text(encoding="utf-8"))
            if mark:
                self.mark_one(migration, log=False)
