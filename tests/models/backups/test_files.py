"""The file of a backup: what a killed one has left is removed by the next one to the same file."""

from __future__ import annotations

import fcntl
from pathlib import Path

from models.backups.files import save

LEFT = f".mine.backup.{'0' * 16}.part"
OTHERS = (f".other.backup.{'0' * 16}.part", ".mine.backup.notes.part", "mine.part")


def test_a_leftover_of_the_same_file_is_removed(filled: str, tmp_path: Path) -> None:
    for name in (LEFT, *OTHERS):
        (tmp_path / name).write_bytes(b"x")
    save(filled, tmp_path / "mine.backup", None, lambda _: None)
    assert {file.name for file in tmp_path.iterdir()} == {"mine.backup", *OTHERS}


def test_the_part_of_a_backup_that_runs_stays(filled: str, tmp_path: Path) -> None:
    with (tmp_path / LEFT).open("wb") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        save(filled, tmp_path / "mine.backup", None, lambda _: None)
        assert (tmp_path / LEFT).exists()
