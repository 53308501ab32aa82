"""All data moved to another PostgreSQL, and back; the built-in one brought to a newer major version."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from models.backups import move as moving
from models.backups.archive import BackupError
from models.backups.move import move
from models.backups.restore import Occupied
from models.backups.upgrade import major_of, upgrade
from models.errors import Unavailable
from models.postgres.migrations import migrate
from models.processes.data_directory import EmbeddedError
from models.processes.embedded import Embedded
from models.processes.embedded_initdb import own_major
from tests.models.backups.conftest import INSTALLED, ROWS, cluster, run
from tests.models.backups.test_restore import digests, quiet


def test_a_move_and_the_way_back(other: str, third: str, tmp_path: Path) -> None:
    run(other, ROWS)
    before, target = digests(other), third
    with closing(psycopg2.connect(other)) as session, session.cursor() as cursor:
        cursor.execute("select 1")
        told: list[str] = []
        move(other, target, tmp_path, tell=told.append, may_replace=False)
        with pytest.raises(psycopg2.OperationalError):
            cursor.execute("select 1")
    assert digests(target) == before == digests(other)
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        run(other, "delete from guesses")
    with pytest.raises(Unavailable, match=r"takes no changes.*move --cancel"):
        migrate(other)
    assert [text.split()[0] for text in told].count("Written") == len(before)
    run(target, "delete from guesses where guess_id = 1")
    with pytest.raises(Occupied):
        move(target, other, tmp_path, tell=quiet, may_replace=False)
    move(target, other, tmp_path, tell=quiet, may_replace=True)
    assert digests(other) == digests(target) != before
    run(other, "delete from guesses")


def test_a_move_to_itself_is_refused(filled: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="that the site uses now"):
        move(filled, f"{filled}&application_name=x", tmp_path, tell=quiet, may_replace=True)


def test_a_move_that_fails_leaves_the_site_as_it_was(
    other: str, third: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(other, ROWS)
    before, empty = digests(other), digests(third)

    def fail(*_: object) -> None:
        raise BackupError("The disk is full.")

    monkeypatch.setattr(moving, "load", fail)
    with pytest.raises(BackupError, match="disk is full"):
        move(other, third, tmp_path, tell=quiet, may_replace=False)
    assert digests(third) == empty
    assert digests(other) == before
    run(other, "delete from guesses")


def made_by(data: Path, major: int) -> dict[str, object]:
    with cluster(data, major) as url:
        migrate(url)
        run(url, ROWS)
        return dict(digests(url))


@pytest.mark.prove
def test_built_in_data_of_an_older_postgresql_are_upgraded(data: Path) -> None:
    before = made_by(data, 16)
    told: list[str] = []
    upgrade(data, told.append)
    assert told[0] == f"Upgrading the data of PostgreSQL 16 to {own_major()}."
    assert (major_of(data / "postgres"), major_of(data / "postgres.16")) == (own_major(), 16)
    with Embedded.start(data, redis=False, durable=False) as embedded:
        assert digests(embedded.database_url) == before
    upgrade(data, told.append)
    assert not list(data.glob("upgrade-*"))


def test_an_upgrade_without_the_old_programs_changes_nothing(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 9.*Install PostgreSQL 9 beside it"):
        upgrade(data, quiet)
    (data / "postgres" / "PG_VERSION").write_text("99\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 99"):
        upgrade(data, quiet)
    upgrade(data / "none", quiet)


@pytest.mark.prove
def test_a_failed_upgrade_leaves_the_old_data_in_place(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = made_by(data, 16)

    def fail(*_: object) -> None:
        raise BackupError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("models.backups.upgrade.load", fail)
        with pytest.raises(BackupError, match="disk is full"):
            upgrade(data, quiet)
    assert major_of(data / "postgres") == 16
    assert not (data / "postgres.16").exists()
    upgrade(data, quiet)
    with Embedded.start(data, redis=False, durable=False) as embedded:
        assert digests(embedded.database_url) == before


@pytest.mark.prove
@pytest.mark.parametrize("major", INSTALLED)
def test_to_a_postgresql_of_another_version_and_back(
    other: str, data: Path, tmp_path: Path, major: int
) -> None:
    run(other, ROWS)
    before = digests(other)
    with cluster(data, major) as url:
        move(other, url, tmp_path, tell=quiet, may_replace=False)
        assert digests(url) == before
        move(url, other, tmp_path, tell=quiet, may_replace=True)
    assert digests(other) == before
