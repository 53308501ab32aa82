"""Processes of the last release keep working after the migrations of this version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from models.postgres.migrations import migrate
from models.processes.embedded import Embedded
from tests.support.last_release import LastRelease, all_tables, required_columns


@pytest.fixture
def release(tmp_path: Path) -> LastRelease:
    return LastRelease(tmp_path / "last")


@pytest.fixture
def cursor(place: Path, release: LastRelease) -> Iterator[Any]:
    """On a database with the schema of the last release."""
    with Embedded.start(place / "data", durable=False, redis=False) as embedded:
        migrate(embedded.database_url, release.migrations)
        with closing(psycopg2.connect(embedded.database_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as opened:
                yield opened


def test_every_statement_of_the_last_release_runs_on_the_new_schema(
    release: LastRelease, cursor: Any
) -> None:
    # A few need values of several types.
    before = release.broken(cursor)
    assert len(before) < 10 < 300 < len(list(release.statements()))
    tables = all_tables(cursor)
    required = required_columns(cursor, tables)
    migrate(cursor.connection.dsn)
    assert release.broken(cursor) == before
    assert required_columns(cursor, tables) <= required


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("alter table reports drop column text", "safety.reports.create"),
        ("alter table cooldowns drop constraint cooldowns_pkey", "calls.calls.finish"),
        ("alter table alerts rename to news", "mail.alerts.claim"),
    ],
)
def test_what_a_migration_removes_is_found(release: LastRelease, cursor: Any, change: str, name: str) -> None:
    cursor.execute(change)
    assert name in release.broken(cursor)


def test_a_new_column_without_a_default_is_found(cursor: Any) -> None:
    required = required_columns(cursor, {"reports"})
    cursor.execute("alter table reports add column place text not null")
    assert required_columns(cursor, {"reports"}) - required == {"reports.place"}
