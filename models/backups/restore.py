"""A backup put into a database: all of it or nothing.

The database is brought to this version's schema first. A backup of an older version is loaded into a
temporary PostgreSQL and migrated there. Rows and checksums of every table are compared before the transaction
ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from models.backups.archive import BackupError, Echo, Manifest
from models.backups.files import opened, save
from models.backups.temporary import temporary_directory
from models.postgres.copying import Hold, Replacement
from models.postgres.migrations import known, migrate
from models.processes.embedded import Embedded
from models.processes.embedded_servers import Postgres

NEWER = "The backup was made by a newer version of the site. Install that version, or a newer one."


class Occupied(BackupError):
    """The database has data that a restore would destroy."""


def restore(
    url: str, file: Path, key: str | None, directory: Path, *, echo: Echo, may_replace: bool
) -> Manifest:
    """`directory` takes temporary files. Raises: BackupError, Occupied, CopyFailed, OSError."""
    echo(f"Checking {file}.")
    with opened(file, key, directory) as (archive, manifest):
        if set(manifest.migrations) - set(known()):
            raise BackupError(NEWER)
        with Hold.of(url) as target:
            if target.is_used() and not may_replace:
                raise Occupied("The database has data, which a restore replaces.")
            with target.released():
                migrate(url, echo=echo)
                if manifest.migrations == known():
                    load(url, archive, manifest, echo)
                else:
                    _load_older(url, archive, manifest, directory, echo)
        return manifest


def load(url: str, archive: ZipFile, manifest: Manifest, echo: Echo) -> None:
    """Replaces all rows of a database that has the backup's schema. Raises: BackupError, CopyFailed."""
    with Replacement.of(url) as target:
        target.empty()
        for number, saved in enumerate(manifest.tables, 1):
            with archive.open(saved.file) as rows:
                target.fill(saved.table, rows)
            echo(f"{number} of {len(manifest.tables)}: {saved.table.name}, {saved.digest.rows} rows")
        target.finish(manifest.sequences)
        for saved in manifest.tables:
            if target.copy_out(saved.table) != saved.digest:
                raise BackupError(f"Table {saved.table.name} did not arrive as it was; nothing was changed.")


def _load_older(url: str, archive: ZipFile, manifest: Manifest, directory: Path, echo: Echo) -> None:
    echo("The backup is of an older version: it is migrated in a temporary PostgreSQL.")
    with scratch(directory) as other, temporary_directory(directory) as place:
        migrate(other, names=frozenset(manifest.migrations))
        load(other, archive, manifest, lambda _: None)
        migrate(other, echo=echo)
        save(other, place / "migrated", None, lambda _: None)
        with opened(place / "migrated", None, directory) as (migrated, newer):
            load(url, migrated, newer, echo)


def verify(file: Path, key: str | None, directory: Path) -> Manifest:
    """Restores the backup into a temporary PostgreSQL. Raises: BackupError, CopyFailed, OSError."""
    with scratch(directory) as url:
        return restore(url, file, key, directory, echo=lambda _: None, may_replace=False)


class ScratchPostgres(Postgres):
    """Ends with this process, also if that is killed."""

    ends_with_us = True


@contextmanager
def scratch(directory: Path) -> Iterator[str]:
    """The URL of an empty PostgreSQL that ends with the block."""
    with (
        temporary_directory(directory) as place,
        Embedded.start(
            place / "data", durable=False, postgres=False, redis=False, others=[ScratchPostgres]
        ) as embedded,
    ):
        yield embedded.database_url
