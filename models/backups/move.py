"""All data moved from one PostgreSQL to another, of any versions.

The old database takes no writes from the beginning, so that none is lost: the site answers 503 to them. It
stays so after a move that succeeded; otherwise it takes writes again. Nothing in it is changed or deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.backups.archive import BackupError, Echo, Manifest
from models.backups.files import opened, save
from models.backups.restore import Occupied, load
from models.backups.temporary import temporary_directory
from models.errors import Unavailable
from models.postgres.copying import CopyFailed, Hold
from models.postgres.migrations import migrate


def move(source: str, target: str, directory: Path, *, echo: Echo, may_replace: bool) -> Manifest:
    """`directory` takes temporary files. Raises: BackupError, Occupied, CopyFailed, Unavailable, OSError."""
    with Hold.of(target) as new, Hold.of(source) as old:
        if new.identity() == old.identity():
            raise BackupError("--to names the database that the site uses now.")
        if new.is_used() and not may_replace:
            raise Occupied("The new database has data, which the move replaces.")
        with new.released():
            migrate(source, echo=echo)
            with _named_as_target():
                migrate(target, echo=echo)
            echo("The site takes no changes from now on.")
            old.take()
            try:
                return _copy(source, target, directory, echo)
            except BaseException:
                old.release()
                echo("The move has failed. The site takes changes again.")
                raise


def _copy(source: str, target: str, directory: Path, echo: Echo) -> Manifest:
    with temporary_directory(directory) as place:
        file = place / "move"
        save(source, file, None, lambda text: echo(f"Read {text}"))
        with opened(file, None, directory) as (archive, manifest):
            with _named_as_target():
                load(target, archive, manifest, lambda text: echo(f"Written {text}"))
            return manifest


@contextmanager
def _named_as_target() -> Iterator[None]:
    """Faults of the new database name `--to`, because DATABASE_URL is the old one."""
    try:
        yield
    except Unavailable as error:
        raise BackupError(error.message.replace("DATABASE_URL", "--to", 1)) from error
    except CopyFailed as error:
        raise CopyFailed(str(error).replace("DATABASE_URL", "--to", 1)) from error
