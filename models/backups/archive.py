"""A backup: one ZIP with a file of rows per table, in COPY's text form, and a manifest at its end.

It does not depend on the version of PostgreSQL. Rows are written and read as a stream. The manifest holds the
schema's migrations, and the number and the checksum of each table's rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

import msgspec

from models.postgres.copying import Counted, DatabaseSnapshot, Digest, Table
from models.settings.version import VERSION

FORMAT = "napalmsky-backup"
MANIFEST = "manifest.json"
Echo = Callable[[str], object]


class BackupError(Exception):
    """A backup cannot be made or used; the text is for the operator."""


class Saved(msgspec.Struct, frozen=True):
    """A table of a backup."""

    table: Table
    digest: Digest

    @property
    def file(self) -> str:
        return f"tables/{self.table.name}.copy"


class Manifest(msgspec.Struct, frozen=True):
    format: str
    version: int
    made_at: datetime
    site: str
    postgresql: str
    migrations: list[str]
    sequences: dict[str, int]
    tables: list[Saved]

    @property
    def rows(self) -> int:
        return sum(one.digest.rows for one in self.tables)


def write(snapshot: DatabaseSnapshot, file: IO[bytes], echo: Echo) -> Manifest:
    """Raises: CopyFailed, OSError."""
    migrations, sequences, saved = snapshot.migrations(), snapshot.sequences(), []
    if not migrations:
        raise BackupError("DATABASE_URL: the database is empty: there is nothing to back up.")
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
        for number, table in enumerate(tables := snapshot.tables(), 1):
            with archive.open(_info(f"tables/{table.name}.copy"), "w", force_zip64=True) as member:
                saved.append(Saved(table, snapshot.copy_out(table, member)))
            echo(f"{number} of {len(tables)}: {table.name}, {saved[-1].digest.rows} rows")
        now = datetime.now(UTC)
        manifest = Manifest(FORMAT, 1, now, VERSION, snapshot.server, migrations, sequences, saved)
        archive.writestr(_info(MANIFEST), msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    return info


def read(file: IO[bytes]) -> tuple[ZipFile, Manifest]:
    """Raises: BackupError, if it is not a complete backup."""
    try:
        archive = ZipFile(file)
        manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    except (BadZipFile, KeyError, zlib.error, EOFError, msgspec.MsgspecError) as error:
        raise BackupError("The file is not a backup of this site, or it is not complete.") from error
    if (manifest.format, manifest.version) != (FORMAT, 1):
        raise BackupError("The backup has a format that this version of the site does not know.")
    return archive, manifest


def check(archive: ZipFile, manifest: Manifest) -> None:
    """Reads every row. Raises: BackupError, if one is damaged or missing."""
    for saved in manifest.tables:
        counted = Counted()
        try:
            with archive.open(saved.file) as member:
                for row in member:
                    counted.write(row)
        except (BadZipFile, KeyError, zlib.error, EOFError) as error:
            raise BackupError(f"The backup is damaged: table {saved.table.name} cannot be read.") from error
        if counted.digest != saved.digest:
            raise BackupError(f"The backup is damaged: table {saved.table.name} has other rows.")
