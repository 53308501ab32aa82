"""All rows of the site, out of one PostgreSQL and into another of any version, with COPY in its text form.

A `DatabaseSnapshot` reads one state of the database while the site runs. A `Replacement` is one transaction
that empties all tables and fills them again: others see either all of it or nothing. No superuser is needed.
Blocking: for the command line. Raises: CopyFailed, with a text for the operator that contains no row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

import msgspec
import psycopg2
from psycopg2 import sql

from models.postgres.connection_errors import cause_of
from models.postgres.statements import statement

NOUN = "backups.tables"
READ_BYTES = 64 * 1024
MODULO = 2**128


class CopyFailed(Exception):
    """The copy has changed nothing; the text is for the operator."""


class Table(msgspec.Struct, frozen=True):
    name: str
    columns: list[str]


class Digest(msgspec.Struct, frozen=True):
    """The number of rows and the sum of their hashes, which does not depend on their order."""

    rows: int
    checksum: str


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Counted:
    """Rows on their way to a file, counted. PostgreSQL sends a row at a time (protocol 3, COPY)."""

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self._rows = self._sum = 0

    def write(self, row: bytes) -> None:
        self._rows += 1
        self._sum += int.from_bytes(hashlib.blake2b(row, digest_size=16).digest(), "big")
        if self._sink is not None:
            self._sink.write(row)

    @property
    def digest(self) -> Digest:
        return Digest(self._rows, f"{self._sum % MODULO:032x}")


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Session:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self.server = str(connection.server_version // 10_000)

    def rows(self, name: str, /, **values: object) -> list[Any]:
        self._cursor.execute(statement(NOUN, name).text, values or None)
        return list(self._cursor.fetchall())

    def value(self, name: str, /, **values: object) -> Any:
        return self.rows(name, **values)[0][0]

    def run(self, name: str, /, **values: object) -> None:
        """Runs the statements that the named statement makes."""
        self.run_all([text for (text,) in self.rows(name, **values)])

    def run_all(self, texts: list[str]) -> None:
        for text in texts:
            self._cursor.execute(text)

    def tables(self) -> list[Table]:
        return [Table(name, columns) for name, columns in self.rows("tables")]

    def migrations(self) -> list[str]:
        """The migrations that were applied, in order."""
        if not self.value("has_migrations"):
            return []
        return [name for (name,) in self.rows("migrations")]

    def copy_out(self, table: Table, sink: Sink | None = None) -> Digest:
        counted = Counted(sink)
        self._cursor.copy_expert(self._copy("copy {} ({}) to stdout", table), counted)
        return counted.digest

    def _copy(self, text: str, table: Table) -> Any:
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        return sql.SQL(text).format(sql.Identifier(table.name), columns)


class DatabaseSnapshot(_Session):
    """One state of a database, read only."""

    @classmethod
    @contextmanager
    def of(cls, url: str) -> Iterator[DatabaseSnapshot]:
        with _connected(url) as connection:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            session = cls(connection)
            session.rows("session")
            yield session

    def sequences(self) -> dict[str, int]:
        return dict(self.rows("sequences"))


class Replacement(_Session):
    """All rows of a database replaced in one transaction, committed at the end of the block."""

    @classmethod
    @contextmanager
    def of(cls, url: str) -> Iterator[Replacement]:
        with _connected(url) as connection:
            connection.set_session(readonly=False)
            session = cls(connection)
            session.rows("session")
            yield session
            connection.commit()

    def empty(self) -> None:
        self._constraints = [text for (text,) in self.rows("constraints")]
        self.run("lift_constraints")
        self.run("triggers", on_or_off=" disable")
        self.run("truncate")

    def fill(self, table: Table, rows: Readable) -> None:
        self._cursor.copy_expert(self._copy("copy {} ({}) from stdin", table), rows, READ_BYTES)

    def finish(self, sequences: dict[str, int]) -> None:
        """Checks every reference between tables."""
        self.run("triggers", on_or_off=" enable")
        self.run_all(self._constraints)
        for name, value in sequences.items():
            self.rows("set_sequence", name=name, next_value=value)


class Hold(_Session):
    """A database that takes no writes: new sessions only read, and those that were open are ended."""

    @classmethod
    @contextmanager
    def of(cls, url: str) -> Iterator[Hold]:
        with _connected(url) as connection:
            connection.set_session(readonly=False, autocommit=True)
            yield cls(connection)

    def identity(self) -> str:
        """The same for two sessions in one database, whatever their URLs."""
        return str(self.value("identity"))

    def take(self) -> None:
        self.run("hold")
        self.rows("others_of_site")

    def release(self) -> None:
        self.run("release")

    @contextmanager
    def released(self) -> Iterator[None]:
        """Takes writes from now on; a hold is taken again if the block fails."""
        was_held = bool(self.rows("release"))
        self.release()
        try:
            yield
        except BaseException:
            if was_held:
                self.take()
            raise

    def is_used(self) -> bool:
        return bool(self.migrations()) and bool(self.value("is_used"))


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    try:
        with closing(psycopg2.connect(url, connect_timeout=5)) as connection:
            connection.set_client_encoding("UTF8")
            yield connection
    except psycopg2.OperationalError as error:
        if isinstance(error, psycopg2.errors.LockNotAvailable):
            raise CopyFailed("Other sessions use the tables. Stop the site, or try again.") from error
        raise CopyFailed(cause_of(error)) from error
    except psycopg2.errors.InsufficientPrivilege as error:
        raise CopyFailed("DATABASE_URL: its user must own the tables and the database.") from error
    except psycopg2.Error as error:
        if error.pgcode is None:  # libpq's own, not the server's.
            raise CopyFailed(cause_of(error)) from error
        raise CopyFailed(f"PostgreSQL refuses it ({error.diag.message_primary}).") from error
