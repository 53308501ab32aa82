"""A backup that has its name only after it was restored into a temporary PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from models.backups.archive import Echo, Manifest
from models.backups.files import save
from models.backups.restore import verify


def save_verified(
    url: str, file: Path, key: str | None, directory: Path, *, failed: Path, progress: Echo, echo: Echo
) -> Manifest:
    """As `save`. One that cannot be restored is kept as `failed`, and an existing `file` stays.

    `directory` takes temporary files. Raises: BackupError, CopyFailed, EmbeddedError, OSError.
    """
    unverified = file.with_name(f".{file.name}.unverified")
    try:
        manifest = save(url, unverified, key, progress)
        echo("Restoring it into a temporary PostgreSQL.")
        verify(unverified, key, directory)
    except BaseException:
        if unverified.exists():
            unverified.rename(failed)
            echo(f"{failed}: this backup could not be restored.")
        raise
    unverified.rename(file)
    return manifest
