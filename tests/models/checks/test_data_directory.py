"""DATA_DIR: each cause with its own text."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.checks.data_directory import why_unusable
from models.checks.host import check_data_dir
from models.settings.config import Config, ConfigError
from models.settings.environment import read_config
from tests.conftest import ROOT

AS_ANOTHER = """
import os, sys
from pathlib import Path
from models.checks.data_directory import why_unusable
if os.geteuid() == 0:
    os.setuid(12345)
print(why_unusable(Path(sys.argv[1]), keeps_all=False))
"""


def cause(path: Path | str) -> str | None:
    return why_unusable(Path(path), keeps_all=False)


def test_directories_that_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("", "new", "new/below", "with space", "link", "link/new"):
        assert cause(tmp_path / name) is None


def test_symbolic_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    assert cause(tmp_path / "dangling") == "DATA_DIR: it is a symbolic link to something that does not exist."
    below = cause(tmp_path / "dangling" / "below")
    assert below == "DATA_DIR: a part of its path is a symbolic link to something that does not exist."
    assert "leads to itself" in str(cause(tmp_path / "loop"))


def test_files_and_devices(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert cause(tmp_path / "file") == cause("/dev/null") == "DATA_DIR: it is not a directory."
    assert cause(tmp_path / "file" / "x") == "DATA_DIR: a part of its path is not a directory."
    assert "too long" in str(cause(tmp_path / ("n" * 300)))
    assert "does not allow new files" in str(cause("/proc/new"))


def test_a_directory_that_this_user_may_not_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    for path in (tmp_path, tmp_path / "new"):
        told = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER, str(path)],
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=180,
        ).stdout  # fmt: skip
        assert told.startswith("DATA_DIR: this process's user may not write there")
    tmp_path.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize(
    ("options", "text"), [("ro", "mounted read-only"), ("size=4k,nr_inodes=1", "is full")]
)
def test_a_file_system_without_room(tmp_path: Path, options: str, text: str) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this container may not mount a file system")
    try:
        assert text in str(cause(tmp_path))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_it_refuses_the_start_only_with_a_server_of_ours(tmp_path: Path) -> None:
    own = Config(data_dir=tmp_path / "x" / "y")
    (tmp_path / "x").symlink_to("nowhere")
    assert check_data_dir(own).refused
    both = Config(data_dir=own.data_dir, database_url="postgresql://h", redis_url="redis://h")
    assert (check_data_dir(both).refused, len(check_data_dir(both).to_mend)) == ((), 1)


@pytest.mark.parametrize("value", ["~/data", "$HOME/data", "${HOME}/data", "file:///data", "/x/{{ data }}"])
def test_what_only_a_shell_would_replace(value: str) -> None:
    with pytest.raises(ConfigError, match=r"^DATA_DIR must be a plain path"):
        read_config({"DATA_DIR": value})
