"""Temporary directories of backups, which hold all data of the site in plain text.

Each holds a lock while its process lives: the kernel releases it however the process ends. What is not locked
was left by a kill, and is removed.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from models.settings.config import Config

PREFIX = "backup-work-"
LOCK = "lock"


def working_directory(config: Config) -> Path:
    """For temporary files: DATA_DIR, which is on a disk, or the system's directory."""
    try:
        tempfile.TemporaryFile(dir=config.data_dir).close()
    except OSError:
        return Path(tempfile.gettempdir())
    return config.data_dir.absolute()


@contextmanager
def temporary_directory(parent: Path) -> Iterator[Path]:
    """A new one. What killed processes have left in `parent` is removed before. Raises: OSError."""
    remove_abandoned(parent)
    place, lock = _make(parent)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(lock)


def remove_abandoned(parent: Path) -> None:
    """Removes our own directories whose process has ended."""
    for place in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if place.lstat().st_uid == os.geteuid():
                _remove(place)


def _remove(place: Path) -> None:
    """Raises: BlockingIOError, if its process is alive."""
    lock = _open(place)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(place)
    finally:
        os.close(lock)


def _make(parent: Path) -> tuple[Path, int]:
    """Again, if another process has removed it before it was locked."""
    while True:
        place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with suppress(FileNotFoundError):
            lock = _open(place)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return place, lock
            os.close(lock)


def _open(place: Path) -> int:
    return os.open(place / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
