"""Named statements from `sql/<noun>.sql`: aiosql files with `:named` parameters, rows as frozen records.

Keeps no connection: `models.db` runs the text, by itself or, with `on=`, as part of a transaction.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, cast

import aiosql
import msgspec
from aiosql.adapters.pyformat import PyFormatAdapter

SQL = Path(__file__).resolve().parent.parent / "sql"
Row = TypeVar("Row")
On = TypeVar("On")
Asks = TypeVar("Asks", contravariant=True)


class Runs(Protocol[Asks]):
    """What runs a statement: `models.db.Db`."""

    async def fetch(
        self, sql: str, values: dict[str, object], on: Asks | None = None
    ) -> list[dict[str, Any]]: ...

    async def touch(self, sql: str, values: dict[str, object], on: Asks | None = None) -> int: ...


class _Adapter(PyFormatAdapter):
    """aiosql's part of the work: it turns `:name` into psycopg2's `%(name)s`; we run the text ourselves."""

    is_aio_driver = True


aiosql.register_adapter("aiopg", _Adapter)


@cache
def _queries(noun: str) -> Any:
    """Read once in a process: parsing all of them takes a quarter of a second."""
    return aiosql.from_path(SQL / f"{noun}.sql", "aiopg")


class Statements(Generic[On]):
    """The statements of one noun: `calls.one("find", Call, call_id=…)`."""

    def __init__(self, db: Runs[On], noun: str) -> None:
        self._db = db
        self._queries = _queries(noun)
        self.names = frozenset(n for n in self._queries.available_queries if not n.endswith("_cursor"))

    async def all(
        self, name: str, kind: type[Row], /, *, on: On | None = None, **values: object
    ) -> list[Row]:
        """Every row, as `kind`: a msgspec struct, or `str` for rows of one column."""
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
        """How many rows the statement touched."""
        return await self._db.touch(getattr(self._queries, name).sql, values, on)

    async def _run(self, name: str, on: On | None, values: dict[str, object]) -> list[dict[str, Any]]:
        return await self._db.fetch(getattr(self._queries, name).sql, values, on)
