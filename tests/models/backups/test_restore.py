"""A backup and its restore: every row of every table, complete or not at all."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import msgspec
import pytest

from models.backups.archive import BackupError, Manifest
from models.backups.files import opened, save
from models.backups.restore import NEWER, Occupied, restore, verify
from models.postgres.copying import CopyFailed, DatabaseSnapshot, Digest
from models.postgres.migrations import known, migrate
from tests.models.backups.conftest import INSTALLED, cluster, run, run_alone

KEY = "a key for backups, in a test"


def quiet(_: str) -> None:
    pass


def digests(url: str) -> dict[str, Digest]:
    with DatabaseSnapshot.of(url) as snapshot:
        return {table.name: snapshot.copy_out(table) for table in snapshot.tables()}


@pytest.mark.parametrize("key", [None, KEY])
def test_everything_comes_back(filled: str, other: str, tmp_path: Path, key: str | None) -> None:
    file = tmp_path / "backup"
    manifest = save(filled, file, key, quiet)
    assert manifest.rows >= 250
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    told: list[str] = []
    restore(other, file, key, tmp_path, echo=told.append, may_replace=False)
    assert digests(other) == digests(filled)
    assert len(told) == 1 + len(manifest.tables)
    # A sequence continues, triggers and references work.
    run(other, "insert into guesses (kind, subject, guessed_at) values ('code', 'x', now())")
    with pytest.raises(Exception, match="foreign key"):
        run(other, "update users set selfie_id = user_id")
    with pytest.raises(Exception, match="audit"):
        run(other, "delete from audit_log")


def test_a_database_with_data_is_not_overwritten_unasked(filled: str, tmp_path: Path) -> None:
    save(filled, tmp_path / "backup", None, quiet)
    run(filled, "update users set name = 'another'")
    changed = digests(filled)
    with pytest.raises(Occupied):
        restore(filled, tmp_path / "backup", None, tmp_path, echo=quiet, may_replace=False)
    assert digests(filled) == changed
    restore(filled, tmp_path / "backup", None, tmp_path, echo=quiet, may_replace=True)
    assert run(filled, "select count(*) from users where name = 'another'") == [(0,)]


@pytest.fixture
def file(filled: str, tmp_path: Path) -> Path:
    save(filled, tmp_path / "backup", None, quiet)
    return tmp_path / "backup"


@pytest.fixture
def unchanged(other: str) -> Iterator[str]:
    before = digests(other)
    yield other
    assert digests(other) == before


@pytest.mark.parametrize("part", [0.0, 0.2, 0.9, 0.999])
def test_a_file_that_was_cut_changes_nothing(file: Path, unchanged: str, tmp_path: Path, part: float) -> None:
    os.truncate(file, int(file.stat().st_size * part))
    with pytest.raises(BackupError, match="not a backup of this site, or it is not complete"):
        restore(unchanged, file, None, tmp_path, echo=quiet, may_replace=True)


def rewritten(file: Path, change: object) -> None:
    """The same archive with another manifest or other rows."""
    with ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    assert callable(change)
    change(members)
    with ZipFile(file, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


def test_other_rows_than_in_the_manifest_change_nothing(file: Path, unchanged: str, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        members["tables/users.copy"] = members["tables/users.copy"].replace(b"female", b"male", 1)

    rewritten(file, change)
    with pytest.raises(BackupError, match="table users has other rows"):
        restore(unchanged, file, None, tmp_path, echo=quiet, may_replace=True)


def test_a_backup_of_a_newer_version_is_refused(file: Path, unchanged: str, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        manifest = msgspec.json.decode(members["manifest.json"], type=Manifest)
        newer = msgspec.structs.replace(manifest, migrations=[*manifest.migrations, "9999_later"])
        members["manifest.json"] = msgspec.json.encode(newer)

    rewritten(file, change)
    with pytest.raises(BackupError) as refused:
        restore(unchanged, file, None, tmp_path, echo=quiet, may_replace=True)
    assert str(refused.value) == NEWER


@pytest.mark.parametrize("key", [None, "another key, which is wrong"])
def test_an_encrypted_backup_needs_its_key(filled: str, tmp_path: Path, key: str | None) -> None:
    save(filled, tmp_path / "backup", KEY, quiet)
    assert b"female" not in (tmp_path / "backup").read_bytes()
    with pytest.raises(BackupError, match="BACKUP_KEY"), opened(tmp_path / "backup", key, tmp_path):
        pass


@pytest.mark.parametrize("place", [60, 5000, -20])
def test_a_changed_encrypted_backup_is_detected(filled: str, tmp_path: Path, place: int) -> None:
    save(filled, tmp_path / "backup", KEY, quiet)
    content = bytearray((tmp_path / "backup").read_bytes())
    content[place] ^= 1
    (tmp_path / "backup").write_bytes(content)
    with (
        pytest.raises(BackupError, match="BACKUP_KEY does not fit"),
        opened(tmp_path / "backup", KEY, tmp_path),
    ):
        pass


def test_a_failed_backup_leaves_no_file_and_the_previous_one(file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(CopyFailed, match="DATABASE_URL"):
        save(f"postgresql://u@/d?host={tmp_path}", file, None, quiet)
    with suppress(KeyboardInterrupt):
        save_interrupted(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def save_interrupted(file: Path) -> None:
    from models.backups import files

    with files._target(file) as target:
        target.write(b"half")
        raise KeyboardInterrupt


def test_a_backup_can_be_a_stream(filled: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    save(filled, Path("-"), None, quiet)
    with ZipFile(io.BytesIO(capfdbinary.readouterr().out)) as archive:
        assert "manifest.json" in archive.namelist()


@pytest.mark.prove
def test_a_scheduled_backup_is_verified_by_a_restore(file: Path, data: Path) -> None:
    data.mkdir()
    assert verify(file, None, data).rows >= 250
    assert list(data.iterdir()) == []


@pytest.mark.prove
def test_a_backup_of_an_older_schema_is_migrated(data: Path, other: str, tmp_path: Path) -> None:
    older = known()[:-3]
    with cluster(data, 16) as url:
        migrate(url, names=older)
        run(url, "insert into users (user_id, name, gender, adult_at, created_at) "
            "values (gen_random_uuid(), 'Anna', 'female', now(), now())")  # fmt: skip
        save(url, tmp_path / "backup", None, quiet)
    data.joinpath("work").mkdir()
    restore(other, tmp_path / "backup", None, data / "work", echo=quiet, may_replace=False)
    assert run(other, "select name from users") == [("Anna",)]


@pytest.mark.prove
@pytest.mark.parametrize("major", INSTALLED)
def test_a_backup_restores_into_older_and_newer_postgresql(
    filled: str, data: Path, tmp_path: Path, major: int
) -> None:
    save(filled, tmp_path / "backup", None, quiet)
    with cluster(data, major) as url:
        restore(url, tmp_path / "backup", None, tmp_path, echo=quiet, may_replace=False)
        assert digests(url) == digests(filled)
        save(url, tmp_path / "back", None, quiet)
    restore(filled, tmp_path / "back", None, tmp_path, echo=quiet, may_replace=True)


@pytest.mark.prove
def test_a_user_who_owns_only_the_tables_can_restore(filled: str, tmp_path: Path) -> None:
    """As on a managed PostgreSQL: no superuser, and not the owner of the database."""
    run_alone(filled, "create role renter login")
    run_alone(filled, "create database rented")
    rented = filled.replace("/postgres?", "/rented?")
    try:
        run(rented, "grant create on schema public to renter")
        url = rented.replace("postgres@", "renter@")
        migrate(url)
        save(filled, tmp_path / "backup", None, quiet)
        restore(url, tmp_path / "backup", None, tmp_path, echo=quiet, may_replace=False)
        assert digests(url) == digests(filled)
        save(url, tmp_path / "own", None, quiet)
    finally:
        run_alone(filled, "drop database rented with (force)")
        run_alone(filled, "drop role renter")
