"""Named statements from `sql/<subject>/<noun>.sql`: aiosql files, rows as frozen records.

Parameters are written `:name`. `models.postgres.database` runs the statement, on its own or, with `on=`, as
part of a transaction. A statement without an answer after two seconds, or whose caller is cancelled, closes
its connection.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import aiosql
import msgspec
import psycopg2
from aiosql.adapters.pyformat import PyFormatAdapter
from psycopg2 import errorcodes, extras

from models.errors import Contended, DiskFull, NoTables, Unavailable
from models.postgres.pool import STATEMENT_SECONDS, PoolConnection

logger = logging.getLogger(__name__)
SQL = Path(__file__).resolve().parent.parent.parent / "sql"
Row = TypeVar("Row")
On = TypeVar("On")
Asks = TypeVar("Asks", contravariant=True)
PREPARED = "Prepared."
PARAMETER = re.compile(r"%\((\w+)\)s")
WRITES = re.compile(
    r"\b(insert|update|delete|merge|truncate|nextval|set_config|pg_advisory_lock)\b", re.IGNORECASE
)


READ_SECONDS = 0.05
# Another transaction held the row, or there was a deadlock: nothing has been written.
CONTENTION = (
    errorcodes.LOCK_NOT_AVAILABLE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.SERIALIZATION_FAILURE,
)
# Memory, temporary files and other limits of the server: the connection still works.
SHORTAGES = (
    errorcodes.INSUFFICIENT_RESOURCES,
    errorcodes.OUT_OF_MEMORY,
    errorcodes.CONFIGURATION_LIMIT_EXCEEDED,
)


@dataclass(frozen=True)
class Statement:
    """A statement in psycopg2's form. If its comment begins with "Prepared.", it is prepared once in each
    connection and then run with `execute`.
    """

    name: str
    text: str
    is_prepared: bool

    @cached_property
    def is_read(self) -> bool:
        """Whether it only reads, so that it may be repeated after a lost answer."""
        return WRITES.search(self.text) is None and self.text.lstrip().lower().startswith(("select", "with"))

    @cached_property
    def prepare(self) -> str:
        numbers = {name: f"${number}" for number, name in enumerate(self._parameters, 1)}
        text = PARAMETER.sub(lambda found: numbers[found[1]], self.text).replace("%%", "%")
        return f'prepare "{self.name}" as {text}'

    @cached_property
    def execute(self) -> str:
        values = ", ".join(f"%({name})s" for name in self._parameters)
        return f'execute "{self.name}" ({values})' if values else f'execute "{self.name}"'

    @property
    def _parameters(self) -> list[str]:
        return list(dict.fromkeys(PARAMETER.findall(self.text)))


class StatementExecutor(Protocol[Asks]):
    """An executor of statements: `models.postgres.database.Db`."""

    def fetch(
        self, statement: Statement, values: dict[str, object], on: Asks | None = None
    ) -> Awaitable[list[dict[str, Any]]]: ...

    def touch(
        self, statement: Statement, values: dict[str, object], on: Asks | None = None
    ) -> Awaitable[int]: ...


class _Adapter(PyFormatAdapter):
    """An aiosql adapter that turns `:name` into psycopg2's `%(name)s`; we run the text ourselves."""

    is_aio_driver = True


aiosql.register_adapter("asynchronous", _Adapter)
# Faster than the standard library, and the only reader of JSON elsewhere.
extras.register_default_json(globally=True, loads=msgspec.json.decode)
extras.register_default_jsonb(globally=True, loads=msgspec.json.decode)


def statement(noun: str, name: str) -> Statement:
    """A statement for code that runs before the database is open."""
    return _queries(noun)[name]


@cache
def _queries(noun: str) -> dict[str, Statement]:
    """Cached per process: parsing all files takes a quarter of a second."""
    queries: Any = aiosql.from_path(SQL / f"{noun.replace('.', '/')}.sql", "asynchronous", encoding="utf-8")
    names = [name for name in queries.available_queries if not name.endswith("_cursor")]
    return {name: _statement(noun, name, getattr(queries, name)) for name in names}


def _statement(noun: str, name: str, query: Any) -> Statement:
    return Statement(f"{noun}.{name}", query.sql, (query.__doc__ or "").startswith(PREPARED))


class Statements(Generic[On]):
    """The statements of one file: `calls.one("find", Call, call_id=…)`."""

    def __init__(self, db: StatementExecutor[On], noun: str) -> None:
        self._db = db
        self._queries = _queries(noun)
        self.names = frozenset(self._queries)
        self.prepared = [statement for statement in self._queries.values() if statement.is_prepared]

    async def all(
        self, name: str, kind: type[Row], /, *, on: On | None = None, **values: object
    ) -> list[Row]:
        """Every row as `kind`: a msgspec struct, or `str` for rows of one column."""
        rows = await self._db.fetch(self._queries[name], values, on)
        if kind is str:
            return [cast(Row, next(iter(row.values()))) for row in rows]
        return msgspec.convert(rows, list[kind])  # type: ignore[valid-type]

    async def one(
        self, name: str, kind: type[Row], /, *, on: On | None = None, **values: object
    ) -> Row | None:
        """The first row as `kind`, or None."""
        rows = await self._db.fetch(self._queries[name], values, on)
        return msgspec.convert(rows[0], kind) if rows else None

    async def value(self, name: str, /, *, on: On | None = None, **values: object) -> Any:
        """The first column of the first row, or None."""
        rows = await self._db.fetch(self._queries[name], values, on)
        return next(iter(rows[0].values())) if rows else None

    async def run(self, name: str, /, *, on: On | None = None, **values: object) -> int:
        """The number of rows the statement affected."""
        return await self._db.touch(self._queries[name], values, on)


class UniqueViolation(Exception):
    """A unique constraint was violated: `constraint` is its name."""

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__(constraint)


class RunningStatements:
    """The running statements and when each began, with one timer for all of them. When a statement's time is
    over, its connection is closed after one more turn of the event loop: if this process itself was blocked,
    the answer has been read by then.
    """

    def __init__(self) -> None:
        self._since: dict[PoolConnection, float] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        # Called when a statement fails because the server's disk is full.
        self.when_full: Callable[[], object] = _nothing

    async def execute(self, link: PoolConnection, sql: str, values: dict[str, object] | None = None) -> None:
        """Raises: UniqueViolation, NoTables, Contended, DiskFull, Unavailable (too slow), and the driver's
        errors if the server is down.
        """
        self._since[link] = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(STATEMENT_SECONDS, self._look)
        try:
            await link.execute(sql, values)
        except psycopg2.Error as error:
            ours = _in_our_words(error, is_lost=link.connection.closed)
            if isinstance(ours, DiskFull):
                self.when_full()
            raise ours from error
        finally:
            self._since.pop(link, None)

    def _look(self) -> None:
        loop = self._loop
        before = loop.time() - STATEMENT_SECONDS
        late = {link: since for link, since in self._since.items() if since <= before}
        if late:
            loop.call_later(READ_SECONDS, self._give_up, late)
        others = [since for since in self._since.values() if since > before]
        self._timer = loop.call_at(min(others) + STATEMENT_SECONDS, self._look) if others else None

    def _give_up(self, late: dict[PoolConnection, float]) -> None:
        for link, since in late.items():
            # By now the connection may run another statement, which has its own time limit.
            if self._since.get(link) == since:
                link.close()


def _nothing() -> None:
    """There is nothing to report to."""


def _in_our_words(error: Any, *, is_lost: bool) -> Exception:
    if error.pgcode in (errorcodes.UNIQUE_VIOLATION, errorcodes.CHECK_VIOLATION):
        return UniqueViolation(error.diag.constraint_name or "")
    if error.pgcode == errorcodes.UNDEFINED_TABLE:
        logger.warning("a table is missing: %s", error.diag.message_primary)
        return NoTables()
    if error.pgcode in CONTENTION:
        return Contended()
    if error.pgcode == errorcodes.QUERY_CANCELED:
        return Unavailable()
    if error.pgcode == errorcodes.DISK_FULL:
        return DiskFull("database")
    if error.pgcode in SHORTAGES:
        logger.warning("the database lacks a resource: %s", error.diag.message_primary)
        return Unavailable()
    # The driver's name for it varies: a session that was terminated, or a server that has become a standby.
    if is_lost or error.pgcode == errorcodes.READ_ONLY_SQL_TRANSACTION:
        return ConnectionError(str(error))
    return cast(Exception, error)
