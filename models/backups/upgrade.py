"""The built-in PostgreSQL's data, made by an older major version, brought to the present one.

The old server writes a backup, and a new cluster in `upgrade` takes it while the old one stays in its place.
When all rows are there, two renames put it there and keep the old one as `postgres.N`. After a kill, the next
start upgrades again, or completes the renames.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from models.backups.archive import Echo
from models.backups.files import opened, save
from models.backups.restore import load
from models.postgres.migrations import migrate
from models.processes.data_directory import DataDirectory, EmbeddedError
from models.processes.embedded import Embedded, claimed
from models.processes.embedded_initdb import own_major, program_of
from models.processes.embedded_servers import Postgres


class OlderPostgres(Postgres):
    """A server of another major version, with programs of its own."""

    def command(self) -> list[str]:
        program = program_of(self.major)
        assert program is not None
        return [str(program), *super().command()[1:]]

    @property
    def major(self) -> int:
        return major_of(self.home) or 0


class FillingPostgres(Postgres):
    """The new server, in a directory beside the old one."""

    ends_with_us = True

    @property
    def home(self) -> Path:
        return self.place.data / "upgrade" / "filling"


def major_of(cluster: Path) -> int | None:
    """The major version that made a cluster; None if there is none."""
    try:
        return int((cluster / "PG_VERSION").read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None


def upgrade(data: Path, echo: Echo) -> None:
    """Does nothing unless it is needed. Raises: EmbeddedError, BackupError, CopyFailed, OSError."""
    if not os.path.isdir(data):
        return
    with claimed(data) as lock:
        _complete(data, echo)
        _remove_leftovers(data)
        old = major_of(data / "postgres")
        if old is None or old == own_major():
            return
        _check(data, old)
        echo(f"Upgrading the data of PostgreSQL {old} to {own_major()}.")
        try:
            _fill(data, lock, echo)
            _rename(data / "postgres", data / f"postgres.{old}")
            _complete(data, echo)
        finally:
            _remove_leftovers(data)


def _check(data: Path, old: int) -> None:
    """Raises: EmbeddedError, if these data cannot be upgraded here."""
    made_by = f"DATA_DIR was made by PostgreSQL {old}, and this version of the site has {own_major()}."
    if old > own_major():
        raise EmbeddedError(made_by)
    if program_of(old) is None:
        raise EmbeddedError(
            f"{made_by} Install PostgreSQL {old} beside it for the upgrade (on Debian: postgresql-{old}), or "
            "restore a backup."
        )
    kept = data / f"postgres.{old}"
    if kept.exists():
        raise EmbeddedError(f"{kept} exists: move it away, so that the old data can be kept there.")


def _fill(data: Path, lock: int, echo: Echo) -> None:
    """All rows in `upgrade/filled`, which does not exist before they are complete."""
    place = DataDirectory.find(data.resolve(), durable=True).directory(data / "upgrade")
    file = place / "rows"
    with running_server(data, OlderPostgres, lock) as embedded:
        save(embedded.database_url, file, None, echo)
    with (
        running_server(data, FillingPostgres, lock) as embedded,
        opened(file, None, place) as (archive, manifest),
    ):
        migrate(embedded.database_url, names=frozenset(manifest.migrations))
        load(embedded.database_url, archive, manifest, echo)
    _rename(place / "filling", place / "filled")


def _complete(data: Path, echo: Echo) -> None:
    """The second rename, also if a kill prevented it."""
    cluster, filled = data / "postgres", data / "upgrade" / "filled"
    if cluster.exists() or not filled.exists():
        return
    _rename(filled, cluster)
    done = f"The data are in PostgreSQL {own_major()}."
    echo(f"{done} {cluster}.N holds the old ones; delete it when all is well.")


def _rename(old: Path, new: Path) -> None:
    """On the disk when it returns."""
    old.rename(new)
    for directory in {new.parent, old.parent}:
        opened = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _remove_leftovers(data: Path) -> None:
    """What an upgrade that failed or was killed has left: a plain copy of all rows."""
    if (data / "upgrade").exists() and (data / "postgres").exists():
        FillingPostgres(DataDirectory.find(data.resolve(), durable=True)).end_leftovers()
        shutil.rmtree(data / "upgrade")


def running_server(data: Path, kind: Callable[[DataDirectory], Postgres], lock: int) -> Embedded:
    """A server of this kind in the data directory, stopped at the end of the block."""
    return Embedded.start(data, postgres=False, redis=False, others=[kind], lock=lock)
