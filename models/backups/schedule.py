"""Backups at intervals into `BACKUP_DIR`: verified, and the oldest deleted."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.backups.temporary import remove_abandoned, working_directory
from models.settings.config import Config

logger = logging.getLogger(__name__)
PATTERN = "napalmsky-*.backup"
LEFTOVERS = (".napalmsky-*.part", ".napalmsky-*.unverified")
# The last one that could not be restored: no backup to count or to rotate.
FAILED = "napalmsky.failed"
LOOK_SECONDS = 60.0
STOP_SECONDS = 5.0
# After a failure.
RETRY_SECONDS = 3600.0


def new_file(directory: Path, now: datetime | None = None) -> Path:
    return directory / f"napalmsky-{now or datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.backup"


def made(directory: Path) -> list[Path]:
    """Oldest first; names sort by time."""
    return sorted(directory.glob(PATTERN))


def rotate(directory: Path, days: int, now: float | None = None) -> list[Path]:
    """Deletes backups older than so many days, and returns them. The newest stays, however old it is."""
    before = (now or time.time()) - timedelta(days=days).total_seconds()
    old = [file for file in made(directory)[:-1] if file.stat().st_mtime < before]
    for file in old:
        file.unlink()
    return old


def is_due(directory: Path, hours: int, now: float | None = None) -> bool:
    """Whether the newest backup is older than `hours`, or there is none."""
    found = made(directory)
    return not found or (now or time.time()) - found[-1].stat().st_mtime >= hours * 3600


def is_overdue(directory: Path, hours: int, now: float | None = None) -> bool:
    """Whether the newest backup is older than twice `hours`, or the only one could not be restored."""
    return is_due(directory, 2 * hours, now) and bool(made(directory) or (directory / FAILED).exists())


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[bool]:
    """Whether no other process or machine makes a backup in this directory; none does during the block.

    What a killed one has left is removed.
    """
    lock = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        is_alone = _is_locked(lock)
        for left in (part for pattern in LEFTOVERS for part in directory.glob(pattern) if is_alone):
            left.unlink()
        yield is_alone
    finally:
        os.close(lock)


def _is_locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def scheduled_backups(config: Config, environment: Mapping[str, str]) -> Iterator[None]:
    """Runs `server.py backup` when one is due, as long as the block runs, if BACKUP_DIR is set.

    What killed backups have left is removed, with and without it.
    """
    remove_abandoned(working_directory(config))
    if config.backup_dir is None:
        yield
        return
    keeper = _BackupTimer(config.backup_dir, config.backup_hours, environment)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _BackupTimer(threading.Thread):
    def __init__(self, directory: Path, hours: int, environment: Mapping[str, str]) -> None:
        super().__init__(name="backups", daemon=True)
        self._directory, self._hours, self._environment = directory, hours, environment
        self._is_over = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        pause = LOOK_SECONDS
        while not self._is_over.wait(pause):
            pause = LOOK_SECONDS
            if self._is_due() and not self._back_up():
                pause = RETRY_SECONDS

    def _is_due(self) -> bool:
        try:
            return is_due(self._directory, self._hours)
        except OSError:
            return True  # The command names the cause.

    def _back_up(self) -> bool:
        self._child = subprocess.Popen(
            [sys.executable, sys.argv[0], "backup", "--if-due"],
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
        )
        is_made = self._child.wait() == 0
        if not is_made and not self._is_over.is_set():
            logger.error("BACKUP_DIR: a scheduled backup failed", extra={"setting": "BACKUP_DIR"})
        return is_made

    def stop(self) -> None:
        self._is_over.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
        self.join(STOP_SECONDS)
