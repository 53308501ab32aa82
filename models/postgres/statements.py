"""Named statements from `sql/<subject>/<noun>.sql`: aiosql files, rows as frozen records.

Parameters are written `:name`. `models.postgres.database` runs the statement, on its own or, with `on=`, as
part of a transaction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import aiosql
import msgspec
from aiosql.adapters.pyformat import PyFormatAdapter

SQL = Path(__file__).resolve().parent.parent.parent / "sql"
Row = TypeVar("Row")
On = TypeVar("On")
Asks = TypeVar("Asks", contravariant=True)
PREPARED = "Prepared."
PARAMETER = re.compile(r"%\((\w+)\)s")
WRITES = re.compile(
    r"\b(insert|update|delete|merge|truncate|nextval|set_config|pg_advisory_lock)\b", re.IGNORECASE
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

    async def fetch(
        self, statement: Statement, values: dict[str, object], on: Asks | None = None
    ) -> list[dict[str, Any]]: ...

    async def touch(self, statement: Statement, values: dict[str, object], on: Asks | None = None) -> int: ...


class _Adapter(PyFormatAdapter):
    """An aiosql adapter that turns `:name` into psycopg2's `%(name)s`; we run the text ourselves."""

    is_aio_driver = True


aiosql.register_adapter("asynchronous", _Adapter)


def statement(noun: str, name: str) -> Statement:
    """A statement for code that runs before there is a `models.postgres.database`."""
    return _queries(noun)[name]


@cache
def _queries(noun: str) -> dict[str, Statement]:
    """Cached per process: parsing all files takes a quarter of a second."""
    queries: Any = aiosql.from_path(SQL / f"{noun.replace('.', '/')}.sql", "asynchronous")
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
        rows = await self._run(name, on, values)
        if kind is str:
            return [cast(Row, next(iter(row.values()))) for row in rows]
        return msgspec.convert(rows, list[kind])  # type: ignore[valid-type]

    async def one(
        self, name: str, kind: type[Row], /, *, on: On | None = None, **values: object
    ) -> Row | None:
        """The first row as `kind`, or None."""
        rows = await self._run(name, on, values)
        return msgspec.convert(rows[0], kind) if rows else None

    async def value(self, name: str, /, *, on: On | None = None, **values: object) -> Any:
        """The first column of the first row, or None."""
        rows = await self._run(name, on, values)
        return next(iter(rows[0].values())) if rows else None

    async def run(self, name: str, /, *, on: On | None = None, **values: object) -> int:
        """The number of rows the statement affected."""
        return await self._db.touch(self._queries[name], values, on)

    async def _run(self, name: str, on: On | None, values: dict[str, object]) -> list[dict[str, Any]]:
        return await self._db.fetch(self._queries[name], values, on)
