"""Temporary directories of backups: removed at the end, and after a kill."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from models.backups.temporary import PREFIX, remove_abandoned, temporary_directory
from tests.conftest import ROOT

KILLED = """
import os, sys
from pathlib import Path
from models.backups.temporary import temporary_directory
with temporary_directory(Path(sys.argv[1])) as place:
    (place / "rows").touch()
    os._exit(9)
"""
KILLED_WITH_SERVER = """
import os, sys
from pathlib import Path
from models.backups.restore import scratch
with scratch(Path(sys.argv[1])):
    (pid_file,) = Path(sys.argv[1]).glob("*/data/postgres/postmaster.pid")
    print(pid_file.read_text().split()[0], flush=True)
    os._exit(9)
"""


def killed(program: str, parent: Path) -> str:
    command = [sys.executable, "-c", program, str(parent)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 9
    return done.stdout


def test_what_a_killed_process_left_is_removed_and_what_is_in_use_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with temporary_directory(tmp_path) as used:
        (used / "rows").touch()
        killed(KILLED, tmp_path)
        assert len(list(tmp_path.glob(f"{PREFIX}*"))) == 2
        remove_abandoned(tmp_path)
        assert list(tmp_path.glob(f"{PREFIX}*")) == [used]
        assert (used / "rows").exists()
    assert [place.name for place in tmp_path.iterdir()] == ["mine"]


def test_a_directory_that_another_process_removed_at_once_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tempfile.mkdtemp
    made: list[str] = []

    def removed_first(*asked: object, **named: object) -> str:
        made.append(original(*asked, **named))  # type: ignore[call-overload]
        if len(made) == 1:
            remove_abandoned(tmp_path)
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", removed_first)
    with temporary_directory(tmp_path) as place:
        assert [str(place)] == made[1:]
        assert list(tmp_path.iterdir()) == [place]


@pytest.mark.prove
def test_a_temporary_server_ends_with_its_process(data: Path) -> None:
    data.mkdir()
    pid = int(killed(KILLED_WITH_SERVER, data))
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(20)
    remove_abandoned(data)
    assert list(data.iterdir()) == []
