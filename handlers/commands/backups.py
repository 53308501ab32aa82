"""`python server.py backup | restore | move`: all data of the site, as one file or to another PostgreSQL.

Progress and errors go to standard error. Exit codes: 0; 1 if it failed, and nothing was changed.
"""

from __future__ import annotations

import argparse
import re
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
from models.settings.database_url import judged
from models.settings.urls import Unusable

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


def run(args: argparse.Namespace, config: Config, url: str, echo: Callable[[str], None]) -> int:
    """`url` is the database of the site."""
    work = {"backup": _backup, "restore": _restore, "move": _move}
    try:
        return work[args.command](args, config, url, echo)
    except FAILURES as error:
        text = error.message if isinstance(error, Unavailable) else str(error)
        # The built-in server's database is in that directory.
        echo(text if config.database_url else re.sub(r"\ADATABASE_URL\b", "DATA_DIR", text))
    except OSError as error:
        echo(f"{error.filename or 'The file'}: {error.strerror}")
    return 1


def _backup(args: argparse.Namespace, config: Config, url: str, echo: Callable[[str], None]) -> int:
    if args.file is None:
        return _scheduled(args, config, url, echo)
    file, place = args.file, working_directory(config)
    if file.is_dir():
        raise BackupError(f"{file} is a directory: name a file in it.")
    if file != STANDARD_OUTPUT and file.exists():
        _ask(f"{file} exists.", args, echo)
    if args.verify and file != STANDARD_OUTPUT:
        failed = file.with_name(f"{file.name}.failed")
        manifest = save_verified(url, file, config.backup_key, place, failed=failed, progress=echo, echo=echo)
    else:
        manifest = save(url, file, config.backup_key, echo)
    echo(f"{file}: {_described(manifest)}.")
    return 0


def _scheduled(args: argparse.Namespace, config: Config, url: str, echo: Callable[[str], None]) -> int:
    """In BACKUP_DIR, by one process at a time. With --if-due, another process may have made it."""
    if config.backup_dir is None:
        raise BackupError("Name a file, or set BACKUP_DIR.")
    directory, place = _made(config.backup_dir), working_directory(config)
    with schedule.alone(directory) as is_alone:
        if args.if_due and not (is_alone and schedule.is_due(directory, config.backup_hours)):
            return 0
        if not is_alone:
            raise BackupError("BACKUP_DIR: another process makes a backup in it now.")
        file, failed = schedule.new_file(directory), directory / schedule.FAILED
        manifest = save_verified(
            url, file, config.backup_key, place, failed=failed, progress=_quiet, echo=echo
        )
        for old in schedule.rotate(directory, config.backup_keep_days):
            echo(f"Deleted {old}.")
    echo(f"{file}: {_described(manifest)}.")
    return 0


def _restore(args: argparse.Namespace, config: Config, url: str, echo: Callable[[str], None]) -> int:
    def once(may_replace: bool) -> Manifest:
        place = working_directory(config)
        return restore(url, args.file, config.backup_key, place, echo=echo, may_replace=may_replace)

    manifest = _with_question(once, args, echo)
    echo(f"Restored: {_described(manifest)}.")
    return 0


def _move(args: argparse.Namespace, config: Config, url: str, echo: Callable[[str], None]) -> int:
    if args.cancel:
        with Hold.of(url) as held:
            held.release()
        echo("The database of the site takes changes again.")
        return 0
    if args.to == EMBEDDED and config.database_url is None:
        raise BackupError("--to embedded: the site uses the built-in PostgreSQL already.")
    if args.to == EMBEDDED:
        with Embedded.start(config.data_dir, redis=False) as embedded:
            return _move_to(embedded.database_url, args, config, url, echo)
    return _move_to(args.to, args, config, url, echo)


def _move_to(
    target: str, args: argparse.Namespace, config: Config, url: str, echo: Callable[[str], None]
) -> int:
    try:
        with Hold.of(judged(target)):
            pass
    except Unusable as error:
        raise BackupError(f"--to {error}.") from error
    except CopyFailed as error:
        raise BackupError(str(error).replace("DATABASE_URL", "--to", 1)) from error

    def once(may_replace: bool) -> Manifest:
        return move(url, target, working_directory(config), echo=echo, may_replace=may_replace)

    manifest = _with_question(once, args, echo)
    setting = "without DATABASE_URL" if args.to == EMBEDDED else "with the new DATABASE_URL"
    echo(
        f"Moved and compared: {_described(manifest)}. Start the site {setting} now. The old database is as "
        "it was and takes no changes; `move --cancel` undoes that."
    )
    return 0


def _with_question(
    work: Callable[[bool], Manifest], args: argparse.Namespace, echo: Callable[[str], None]
) -> Manifest:
    """Asks before data are replaced. Raises: BackupError."""
    try:
        return work(args.replace)
    except Occupied as error:
        _ask(str(error), args, echo)
        return work(True)


def _ask(situation: str, args: argparse.Namespace, echo: Callable[[str], None]) -> None:
    """Raises: BackupError, unless the operator agrees."""
    if args.replace:
        return
    if not sys.stdin.isatty():
        raise BackupError(f"{situation} Add --replace if it may be replaced.")
    echo(f"{situation} Type yes to replace it:")
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
