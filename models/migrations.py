"""The schema's steps, `sql/migrations/NNNN_*.sql`, forward only.

Keeps: yoyo's own tables, which say what has been applied.
Promises: one process at a time migrates (a PostgreSQL advisory lock, which the server takes back when its
holder dies), the others wait and find nothing to do; a file and the note that it was applied are one
transaction, so a kill leaves neither; a lock row that a killed run left is broken, since the holder of the
advisory lock knows that it is alone.
Refuses: to go back, and to hide a faulty file.
Blocking: for the command line and for the start, before the event loop runs.
"""

from __future__ import annotations

from collections.abc import Iterator
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

DIRECTORY = Path(__file__).parent.parent / "sql" / "migrations"
ADVISORY_LOCK = 0x6E6170616C6D  # "napalm": any number will do, as long as every process asks for the same
NOWHERE = DatabaseURI("postgresql", None, None, None, None, None, {})


def migrate(database_url: str, directory: Path = DIRECTORY) -> None:
    """Apply what is missing. Raises Unavailable (out of reach), psycopg2.Error (refuses a file)."""
    with closing(_connect(database_url)) as guard, _backend(database_url) as backend:
        guard.autocommit = True
        guard.cursor().callproc("pg_advisory_lock", [ADVISORY_LOCK])
        backend.create_lock_table()
        backend.break_lock()
        with backend.lock():
            backend.apply_migrations(backend.to_apply(_files(directory)))


def _connect(database_url: str) -> Any:
    try:
        return psycopg2.connect(database_url, connect_timeout=5)
    except psycopg2.OperationalError as error:
        raise Unavailable("The database cannot be reached.") from error


def pending(database_url: str, directory: Path = DIRECTORY) -> list[str]:
    """The names of the files not applied yet, in order; reads only. None: the schema is what we want."""
    migrations = _files(directory)
    with _backend(database_url) as backend:
        if internalmigrations.needs_upgrading(backend):
            return [migration.id for migration in migrations]
        return [migration.id for migration in backend.to_apply(migrations)]


def _files(directory: Path) -> MigrationList:
    migrations = read_migrations(escape(str(directory)))
    for migration in migrations:
        migration.load()  # yoyo would pass over a file that it cannot read; here it is an error
    return migrations


@contextmanager
def _backend(database_url: str) -> Iterator[_Backend]:
    with closing(_Backend(database_url)) as backend:
        yield backend


class _Backend(PostgresqlBackend):  # type: ignore[misc]
    """yoyo's backend, told two things: the URL is libpq's business, and a file is one step."""

    create_lock_table_sql = PostgresqlBackend.create_lock_table_sql.replace("TABLE", "TABLE IF NOT EXISTS", 1)

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        super().__init__(NOWHERE, default_migration_table)

    def connect(self, dburi: DatabaseURI) -> psycopg2.extensions.connection:
        """libpq reads every form of URL (sockets, several hosts, sslmode); yoyo's reader knows only some."""
        connection = psycopg2.connect(self.database_url)
        connection.autocommit = True
        return connection

    def close(self) -> None:
        self.connection.close()

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        """The whole file at once (nothing splits it at semicolons), in one transaction with its record."""
        with self.transaction():
            self.cursor().execute(Path(migration.path).read_text(encoding="utf-8"))
            if mark:
                self.mark_one(migration, log=False)
