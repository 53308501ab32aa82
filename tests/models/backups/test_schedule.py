"""When a scheduled backup is due, and which ones are deleted."""

from __future__ import annotations

import os
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.backups.schedule import FAILED, is_due, is_overdue, made, new_file, rotate, scheduled_backups
from models.backups.temporary import PREFIX
from models.settings.config import Config

NOW = 1_000_000_000.0
DAY = 86_400


def backup(directory: Path, days_ago: float) -> Path:
    at = NOW - days_ago * DAY
    file = new_file(directory, datetime.fromtimestamp(at, UTC))
    file.touch()
    os.utime(file, (at, at))
    return file


def test_old_ones_are_deleted_and_the_newest_and_other_files_stay(tmp_path: Path) -> None:
    files = [backup(tmp_path, days) for days in (40, 15, 13.5, 1)]
    (tmp_path / "mine.txt").touch()
    os.utime(tmp_path / "mine.txt", (0, 0))
    assert rotate(tmp_path, 14, NOW) == files[:2]
    assert made(tmp_path) == files[2:]
    assert rotate(tmp_path, 1, NOW + 100 * DAY) == [files[2]]
    assert made(tmp_path) == [files[3]]
    assert (tmp_path / "mine.txt").exists()


def test_one_is_due_after_so_many_hours(tmp_path: Path) -> None:
    assert is_due(tmp_path, 24, NOW)
    assert is_due(tmp_path / "missing", 24, NOW)
    backup(tmp_path, 0.9)
    assert not is_due(tmp_path, 24, NOW)
    assert is_due(tmp_path, 12, NOW)
    backup(tmp_path, 0.1)
    assert not is_due(tmp_path, 12, NOW)


def test_one_is_overdue_after_twice_as_many(tmp_path: Path) -> None:
    assert not is_overdue(tmp_path, 24, NOW)
    (tmp_path / FAILED).touch()
    assert is_overdue(tmp_path, 24, NOW)
    backup(tmp_path, 1.9)
    assert not is_overdue(tmp_path, 24, NOW)
    assert is_overdue(tmp_path, 22, NOW)


def test_the_command_runs_while_the_site_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, pathlib, sys\n"
        "pathlib.Path(os.environ['PLACE'], 'napalmsky-2026.backup').write_text(sys.argv[1])\n"
    )
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setattr("models.backups.schedule.LOOK_SECONDS", 0.01)
    (tmp_path / "backups").mkdir()
    config = Config(backup_dir=tmp_path / "backups", data_dir=tmp_path)
    with scheduled_backups(config, {"PLACE": str(tmp_path / "backups"), "PATH": os.environ["PATH"]}):
        for _ in range(1000):
            if [file for file in made(tmp_path / "backups") if file.read_text()]:
                break
            threading.Event().wait(0.01)
    (file,) = made(tmp_path / "backups")
    assert file.read_text() == "backup"
    assert "backups" not in [thread.name for thread in threading.enumerate()]


def test_without_a_directory_nothing_runs(tmp_path: Path) -> None:
    before = threading.active_count()
    (tmp_path / f"{PREFIX}left" / "data").mkdir(parents=True)
    with scheduled_backups(Config(data_dir=tmp_path), {}):
        assert threading.active_count() == before
        assert list(tmp_path.iterdir()) == []
