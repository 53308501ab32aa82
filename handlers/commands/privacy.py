"""The operator's privacy commands: `python server.py tombstones`, `export`, `delete`, `transparency`."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from models.safety.transparency import as_json
from models.security.audit_log import OPERATOR
from models.wiring import Models


def add_to(add_command: Callable[..., argparse.ArgumentParser]) -> None:
    tombstones = add_command("tombstones", help="what must stay deleted when a backup is restored")
    actions = tombstones.add_subparsers(dest="action", required=True)
    apply = actions.add_parser("apply", help="delete again what a backup brought back")
    apply.add_argument("file", type=Path, nargs="?", help="a copy that was exported; without it our own")
    export = actions.add_parser("export", help="all of them as a file, to keep elsewhere")
    export.add_argument("file", type=Path)
    export = add_command(
        "export", help="all data about a user as a ZIP, as they could download it themselves"
    )
    export.add_argument("person", help="an id, an e-mail address, or the number of a payment")
    export.add_argument(
        "file", type=Path, nargs="?", default=Path("my-data.zip"), help="- is standard output"
    )
    figures = add_command("transparency", help="figures about moderation in a period, to be published")
    figures.add_argument("first", help="the first day, such as 2026-01-01 (UTC)")
    figures.add_argument("last", help="the last day")
    figures.add_argument("--csv", action="store_true", help="CSV instead of JSON")
    delete = add_command("delete", help="delete a user permanently, as they could do themselves")
    delete.add_argument("user_id")


async def tombstones(args: argparse.Namespace, models: Models) -> int:
    """Returns 1 if the file cannot be read or written."""
    try:
        if args.action == "export":
            print(f"{await models.tombstones.export(args.file)} tombstones written to {args.file}.")
        else:
            done = await models.tombstones.apply(args.file)
            print(f"{done.lines} tombstones read; deleted again: {done.people} people, {done.media} media.")
    except OSError as error:
        print(f"{args.file}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


async def delete(args: argparse.Namespace, models: Models) -> int:
    await models.deletions.delete(args.user_id, OPERATOR)
    print(f"{args.user_id} is deleted.")
    return 0


async def transparency(args: argparse.Namespace, models: Models) -> int:
    figures = await models.transparency.figures(args.first, args.last)
    print(figures.as_csv() if args.csv else as_json(figures))
    return 0


async def export(args: argparse.Namespace, models: Models) -> int:
    async with models.exports.open_for(args.person, OPERATOR) as file:
        if args.file == Path("-"):
            shutil.copyfileobj(file, sys.stdout.buffer)
            return 0
        _write(args.file, file)
    print(f"Written to {args.file}. Make sure that the person who asked is the one that it is about.")
    return 0


def _write(path: Path, data: IO[bytes]) -> None:
    """A new file that only its owner can read."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as copy:
        shutil.copyfileobj(data, copy)
