"""All data moved to another PostgreSQL, and back."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from models.backups import move as moving
from models.backups.archive import BackupError
from models.backups.files import save
from models.backups.move import move
from models.backups.restore import Occupied, restore
from models.errors import Unavailable
from models.postgres.migrations import migrate
from tests.models.backups.conftest import INSTALLED, ROWS, cluster, run
from tests.models.backups.test_restore import digests, quiet


def fail(*_: object) -> None:
    raise BackupError("The disk is full.")


def test_a_move_and_the_way_back(
    other: str, third: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(other, ROWS)
    before, target = digests(other), third
    with closing(psycopg2.connect(other)) as session, session.cursor() as cursor:
        cursor.execute("select 1")
        told: list[str] = []
        move(other, target, tmp_path, echo=told.append, may_replace=False)
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
        move(target, other, tmp_path, echo=quiet, may_replace=False)
    save(target, tmp_path / "backup", None, quiet)
    with pytest.raises(Occupied):
        restore(other, tmp_path / "backup", None, tmp_path, echo=quiet, may_replace=False)
    with monkeypatch.context() as patched:
        patched.setattr("models.backups.restore.load", fail)
        with pytest.raises(BackupError, match="disk is full"):
            restore(other, tmp_path / "backup", None, tmp_path, echo=quiet, may_replace=True)
    # Neither a refusal nor a failure ends the hold.
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        run(other, "delete from guesses")
    move(target, other, tmp_path, echo=quiet, may_replace=True)
    assert digests(other) == digests(target) != before
    run(other, "delete from guesses")


def test_a_move_to_itself_is_refused(filled: str, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="that the site uses now"):
        move(filled, f"{filled}&application_name=x", tmp_path, echo=quiet, may_replace=True)


def test_a_move_that_fails_leaves_the_site_as_it_was(
    other: str, third: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(other, ROWS)
    before, empty = digests(other), digests(third)

    monkeypatch.setattr(moving, "load", fail)
    with pytest.raises(BackupError, match="disk is full"):
        move(other, third, tmp_path, echo=quiet, may_replace=False)
    assert digests(third) == empty
    assert digests(other) == before
    run(other, "delete from guesses")


@pytest.mark.prove
@pytest.mark.parametrize("major", INSTALLED)
def test_to_a_postgresql_of_another_version_and_back(
    other: str, data: Path, tmp_path: Path, major: int
) -> None:
    run(other, ROWS)
    before = digests(other)
    with cluster(data, major) as url:
        move(other, url, tmp_path, echo=quiet, may_replace=False)
        assert digests(url) == before
        move(url, other, tmp_path, echo=quiet, may_replace=True)
    assert digests(other) == before
