"""The built-in PostgreSQL's data, made by an older major version, brought to the present one.

The old server writes a backup, a new cluster takes it, and the old directory is kept as `postgres.N`. If
anything fails, the old directory stays in its place.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from models.backups.archive import Tell
from models.backups.files import opened, save
from models.backups.restore import load
from models.postgres.migrations import migrate
from models.processes.data_directory import DataDirectory, EmbeddedError
from models.processes.embedded import Embedded
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


def major_of(cluster: Path) -> int | None:
    """The major version that made a cluster; None if there is none."""
    try:
        return int((cluster / "PG_VERSION").read_text().strip())
    except (OSError, ValueError):
        return None


def upgrade(data: Path, tell: Tell) -> None:
    """Does nothing unless it is needed. Raises: EmbeddedError, BackupError, CopyFailed, OSError."""
    cluster, new = data / "postgres", own_major()
    old = major_of(cluster)
    if old is None or old == new:
        return
    if old > new:
        raise EmbeddedError(f"DATA_DIR was made by PostgreSQL {old}, and this version of the site has {new}.")
    if program_of(old) is None:
        raise EmbeddedError(
            f"DATA_DIR was made by PostgreSQL {old}, and this version of the site has {new}. Install "
            f"PostgreSQL {old} beside it for the upgrade (on Debian: postgresql-{old}), or restore a backup."
        )
    kept = data / f"postgres.{old}"
    if kept.exists():
        raise EmbeddedError(f"{kept} exists: move it away, so that the old data can be kept there.")
    tell(f"Upgrading the data of PostgreSQL {old} to {new}.")
    with TemporaryDirectory(prefix="upgrade-", dir=data) as place:
        file = Path(place, "data")
        with running_server(data, OlderPostgres) as embedded:
            save(embedded.database_url, file, None, tell)
        cluster.rename(kept)
        try:
            _fill(data, file, tell)
        except BaseException:
            shutil.rmtree(cluster, ignore_errors=True)
            kept.rename(cluster)
            raise
    tell(f"The data are in PostgreSQL {new}. {kept} holds the old ones; delete it when all is well.")


def _fill(data: Path, file: Path, tell: Tell) -> None:
    with running_server(data, Postgres) as embedded, opened(file, None, data) as (archive, manifest):
        migrate(embedded.database_url, names=frozenset(manifest.migrations))
        load(embedded.database_url, archive, manifest, tell)


def running_server(data: Path, kind: type[Postgres]) -> Embedded:
    """A server of this kind in the data directory, stopped at the end of the block."""

    def make(place: DataDirectory) -> Postgres:
        return kind(place)

    return Embedded.start(data, postgres=False, redis=False, others=[make])
