"""The files of backups: complete or absent, readable by their owner only, with or without encryption."""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from zipfile import ZipFile

from models.backups import archive, sealing
from models.backups.archive import BackupError, Echo, Manifest
from models.postgres.copying import DatabaseSnapshot

STANDARD_OUTPUT = Path("-")
NO_KEY = "The backup is encrypted. Set BACKUP_KEY to the key with which it was made."
WRONG_KEY = "BACKUP_KEY does not fit this backup, or the file is damaged."


def save(url: str, file: Path, key: str | None, echo: Echo) -> Manifest:
    """A backup of the database as it is now. An existing file is replaced when the new one is complete.

    Raises: BackupError, CopyFailed, OSError.
    """
    with _target(file) as target, DatabaseSnapshot.of(url) as snapshot:
        if key is None:
            return archive.write(snapshot, target, echo)
        sealer: Any = sealing.Sealer(target, key)
        manifest = archive.write(snapshot, sealer, echo)
        sealer.close()
        return manifest


@contextmanager
def _target(file: Path) -> Iterator[IO[bytes]]:
    """Written under another name, and renamed at the end."""
    if file == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = file.with_name(f".{file.name}.{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        error.filename = str(file)  # The one that the operator has named.
        raise
    try:
        with os.fdopen(descriptor, "wb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)  # Until the file is complete, or this process ends.
            _remove_abandoned_parts(file)
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        part.rename(file)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _remove_abandoned_parts(file: Path) -> None:
    """Those of backups to the same file that were killed."""
    for part in file.parent.glob(f".{escape(file.name)}.{'[0-9a-f]' * 16}.part"):
        with suppress(OSError), part.open("rb") as left:
            fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


@contextmanager
def opened(file: Path, key: str | None, directory: Path) -> Iterator[tuple[ZipFile, Manifest]]:
    """A complete backup whose rows have been checked. An encrypted one is decrypted into an unnamed file in
    `directory`. Raises: BackupError, OSError.
    """
    with file.open("rb") as found, TemporaryFile(dir=directory) as plain:
        source: IO[bytes] = found
        if sealing.is_sealed(found):
            if key is None:
                raise BackupError(NO_KEY)
            try:
                sealing.unseal(found, key, plain)
            except sealing.NotOpened as error:
                raise BackupError(WRONG_KEY) from error
            source = plain
        pair = archive.read(source)
        archive.check(*pair)
        yield pair
