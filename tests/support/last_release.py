"""The SQL of the last release, which its processes still run while those of the next one start.

`tests/support/last_release.tar.gz` has it. With each release VERSION it is made again:

    git archive --output tests/support/last_release.tar.gz vVERSION sql
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiosql
import psycopg2

from models.postgres.statements import PARAMETER

ARCHIVE = Path(__file__).with_suffix(".tar.gz")
PLANNED = re.compile(r"(\s|--.*\n)*(select|with|insert|update|delete|merge)\b", re.IGNORECASE)
PARTS = re.compile(r";\s*\n")
# A column that rows of the last release would leave empty.
REQUIRED = """
select table_name || '.' || column_name from information_schema.columns
where table_schema = 'public' and is_nullable = 'NO' and column_default is null and is_identity = 'NO'
    and is_generated = 'NEVER'
"""
TABLES = "select tablename from pg_tables where schemaname = 'public'"


class LastRelease:
    """Unpacked in `home`."""

    def __init__(self, home: Path) -> None:
        with tarfile.open(ARCHIVE) as archive:
            archive.extractall(home, filter="data")
        self._sql = home / "sql"
        self.migrations = self._sql / "migrations"

    def statements(self) -> Iterator[tuple[str, str]]:
        """Name and text of each, in psycopg2's form."""
        for file in sorted(self._sql.rglob("*.sql")):
            if file.parent == self.migrations:
                continue
            noun = ".".join(file.relative_to(self._sql).with_suffix("").parts)
            queries: Any = aiosql.from_path(file, "asynchronous")
            for name in queries.available_queries:
                if not name.endswith("_cursor"):
                    yield f"{noun}.{name}", getattr(queries, name).sql

    def broken(self, cursor: Any) -> dict[str, str]:
        """Statement -> why this schema cannot run it: each is planned, none is run."""
        found = {}
        for name, text in self.statements():
            for part in PARTS.split(text):
                if PLANNED.match(part) and (error := _error_of(cursor, part)):
                    found[name] = error
        return found


def _error_of(cursor: Any, text: str) -> str:
    """Empty if PostgreSQL can plan it, with one of these values for all parameters."""
    error = ""
    for value in ("null", "1", "now()"):
        try:
            cursor.execute(f"explain {PARAMETER.sub(value, text).replace('%%', '%')}")
            return ""
        except psycopg2.Error as last:
            error = error or str(last)
    return error


def required_columns(cursor: Any, tables: set[str]) -> set[str]:
    cursor.execute(REQUIRED)
    return {name for (name,) in cursor.fetchall() if name.partition(".")[0] in tables}


def all_tables(cursor: Any) -> set[str]:
    cursor.execute(TABLES)
    return {name for (name,) in cursor.fetchall()}
