"""`python server.py backup | restore | move`: all data of the site, as one file or to another PostgreSQL.

Progress and errors go to standard error. Exit codes: 0; 1 if it failed, and nothing was changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from models.backups import schedule
from models.backups.archive import BackupError, Manifest
from models.backups.files import STANDARD_OUTPUT, save
from models.backups.move import move
from models.backups.restore import Occupied, restore
from models.backups.temporary import working_directory
from models.backups.verified import save_verified
from models.errors import Unavailable
from models.postgres.copying import CopyFailed, Hold
from models.processes.embedded import Embedded
from models.settings.config import Config

COMMANDS = ("backup", "restore", "move")
EMBEDDED = "embedded"
# What the operator is to know; nothing about rows.
FAILURES = (BackupError, CopyFailed, Unavailable)


def add_to(add_command: Callable[..., argparse.ArgumentParser]) -> None:
    backup = add_command("backup", help="all data as one file, while the site runs")
    backup.add_argument("file", type=Path, nargs="?", help="- for standard output; default: in BACKUP_DIR")
    backup.add_argument("--verify", action="store_true", help="restore it into a temporary PostgreSQL")
    backup.add_argument("--if-due", action="store_true", help="only if the newest is older than BACKUP_HOURS")
    back = add_command("restore", help="replace all data by those of a backup")
    back.add_argument("file", type=Path)
    other = add_command("move", help="move all data to another PostgreSQL")
    to = other.add_mutually_exclusive_group(required=True)
    to.add_argument("--to", metavar="DATABASE_URL", help=f"or: {EMBEDDED}")
    to.add_argument("--cancel", action="store_true", help="let the database of the site take changes again")
    for command in (backup, back, other):
        command.add_argument("--replace", action="store_true", help="replace what is there unasked")


def run(asked: argparse.Namespace, config: Config, url: str, tell: Callable[[str], None]) -> int:
    """`url` is the database of the site."""
    work = {"backup": _backup, "restore": _restore, "move": _move}
    try:
        return work[asked.command](asked, config, url, tell)
    except FAILURES as error:
        tell(error.message if isinstance(error, Unavailable) else str(error))
    except OSError as error:
        tell(f"{error.filename or 'The file'}: {error.strerror}")
    return 1


def _backup(asked: argparse.Namespace, config: Config, url: str, tell: Callable[[str], None]) -> int:
    if asked.file is None:
        return _scheduled(asked, config, url, tell)
    file, place = asked.file, working_directory(config)
    if file != STANDARD_OUTPUT and file.exists():
        _ask(f"{file} exists.", asked, tell)
    if asked.verify and file != STANDARD_OUTPUT:
        failed = file.with_name(f"{file.name}.failed")
        manifest = save_verified(url, file, config.backup_key, place, failed=failed, progress=tell, tell=tell)
    else:
        manifest = save(url, file, config.backup_key, tell)
    tell(f"{file}: {_described(manifest)}.")
    return 0


def _scheduled(asked: argparse.Namespace, config: Config, url: str, tell: Callable[[str], None]) -> int:
    """In BACKUP_DIR, by one process at a time. With --if-due, another process may have made it."""
    if config.backup_dir is None:
        raise BackupError("Name a file, or set BACKUP_DIR.")
    directory, place = _made(config.backup_dir), working_directory(config)
    with schedule.alone(directory) as is_alone:
        if asked.if_due and not (is_alone and schedule.is_due(directory, config.backup_hours)):
            return 0
        if not is_alone:
            raise BackupError("BACKUP_DIR: another process makes a backup in it now.")
        file, failed = schedule.new_file(directory), directory / schedule.FAILED
        manifest = save_verified(
            url, file, config.backup_key, place, failed=failed, progress=_quiet, tell=tell
        )
        for old in schedule.rotate(directory, config.backup_keep_days):
            tell(f"Deleted {old}.")
    tell(f"{file}: {_described(manifest)}.")
    return 0


def _restore(asked: argparse.Namespace, config: Config, url: str, tell: Callable[[str], None]) -> int:
    def once(may_replace: bool) -> Manifest:
        place = working_directory(config)
        return restore(url, asked.file, config.backup_key, place, tell=tell, may_replace=may_replace)

    manifest = _with_question(once, asked, tell)
    tell(f"Restored: {_described(manifest)}.")
    return 0


def _move(asked: argparse.Namespace, config: Config, url: str, tell: Callable[[str], None]) -> int:
    if asked.cancel:
        with Hold.of(url) as held:
            held.release()
        tell("The database of the site takes changes again.")
        return 0
    if asked.to == EMBEDDED and config.database_url is None:
        raise BackupError("--to embedded: the site uses the built-in PostgreSQL already.")
    if asked.to == EMBEDDED:
        with Embedded.start(config.data_dir, redis=False) as embedded:
            return _move_to(embedded.database_url, asked, config, url, tell)
    return _move_to(asked.to, asked, config, url, tell)


def _move_to(
    target: str, asked: argparse.Namespace, config: Config, url: str, tell: Callable[[str], None]
) -> int:
    try:
        with Hold.of(target):
            pass
    except CopyFailed as error:
        raise BackupError(str(error).replace("DATABASE_URL", "--to", 1)) from error

    def once(may_replace: bool) -> Manifest:
        return move(url, target, working_directory(config), tell=tell, may_replace=may_replace)

    manifest = _with_question(once, asked, tell)
    setting = "without DATABASE_URL" if asked.to == EMBEDDED else "with the new DATABASE_URL"
    tell(
        f"Moved and compared: {_described(manifest)}. Start the site {setting} now. The old database is as "
        "it was and takes no changes; `move --cancel` undoes that."
    )
    return 0


def _with_question(
    work: Callable[[bool], Manifest], asked: argparse.Namespace, tell: Callable[[str], None]
) -> Manifest:
    """Asks before data are replaced. Raises: BackupError."""
    try:
        return work(asked.replace)
    except Occupied as error:
        _ask(str(error), asked, tell)
        return work(True)


def _ask(situation: str, asked: argparse.Namespace, tell: Callable[[str], None]) -> None:
    """Raises: BackupError, unless the operator agrees."""
    if asked.replace:
        return
    if not sys.stdin.isatty():
        raise BackupError(f"{situation} Add --replace if it may be replaced.")
    tell(f"{situation} Type yes to replace it:")
    if input().strip().lower() != "yes":
        raise BackupError("Nothing was changed.")


def _quiet(_: str) -> None:
    """No progress: a scheduled backup is a line in the log."""


def _described(manifest: Manifest) -> str:
    made = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    return f"{manifest.rows} rows of {len(manifest.tables)} tables, made at {made}"


def _made(directory: Path) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
