"""The built-in PostgreSQL's data brought to a newer major version, whatever interrupts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.backups.archive import BackupError
from models.backups.upgrade import major_of, upgrade
from models.postgres.migrations import migrate
from models.processes.data_directory import EmbeddedError
from models.processes.embedded import Embedded, EmbeddedInUse, claimed
from models.processes.embedded_initdb import own_major
from tests.conftest import ROOT
from tests.models.backups.conftest import ROWS, cluster, run
from tests.models.backups.test_restore import digests, quiet

# A function of the upgrade in whose place the process is killed, and the condition.
KILLS = {
    "before any row arrives": ("load", "True"),
    "before the commit": ("Replacement.finish", "True"),
    "before the old data are renamed": ("_rename", "asked[1].name.startswith('postgres.')"),
    "between the renames": ("_rename", "asked[1].name == 'postgres'"),
}
KILLED = """
import os, sys
from pathlib import Path
from models.backups import restore, upgrade
from models.postgres.copying import Replacement
upgrade.Replacement = Replacement
owner, _, name = "{function}".rpartition(".")
place = getattr(upgrade, owner) if owner else upgrade
original = getattr(place, name)
def killed(*asked):
    if {condition}:
        os._exit(9)
    return original(*asked)
setattr(place, name, killed)
upgrade.upgrade(Path(sys.argv[1]), print)
"""


def made_by(data: Path, major: int) -> dict[str, object]:
    with cluster(data, major) as url:
        migrate(url)
        run(url, ROWS)
        return dict(digests(url))


@pytest.mark.prove
def test_built_in_data_of_an_older_postgresql_are_upgraded(data: Path) -> None:
    before = made_by(data, 16)
    told: list[str] = []
    upgrade(data, told.append)
    assert told[0] == f"Upgrading the data of PostgreSQL 16 to {own_major()}."
    assert (major_of(data / "postgres"), major_of(data / "postgres.16")) == (own_major(), 16)
    with Embedded.start(data, redis=False, durable=False) as embedded:
        assert digests(embedded.database_url) == before
    upgrade(data, told.append)
    assert not (data / "upgrade").exists()


def test_an_upgrade_without_the_old_programs_changes_nothing(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 9.*Install PostgreSQL 9 beside it"):
        upgrade(data, quiet)
    (data / "postgres" / "PG_VERSION").write_text("99\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 99"):
        upgrade(data, quiet)
    upgrade(data / "none", quiet)


@pytest.mark.prove
def test_a_failed_upgrade_leaves_the_old_data_in_place(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = made_by(data, 16)

    def fail(*_: object) -> None:
        raise BackupError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("models.backups.upgrade.load", fail)
        with pytest.raises(BackupError, match="disk is full"):
            upgrade(data, quiet)
    assert major_of(data / "postgres") == 16
    assert not (data / "postgres.16").exists()
    upgrade(data, quiet)
    with Embedded.start(data, redis=False, durable=False) as embedded:
        assert digests(embedded.database_url) == before


@pytest.mark.prove
@pytest.mark.parametrize("moment", KILLS)
def test_a_kill_loses_no_row(data: Path, moment: str) -> None:
    before = made_by(data, 16)
    function, condition = KILLS[moment]
    program = KILLED.format(function=function, condition=condition)
    environment = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", program, str(data)]
    assert subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 9
    upgrade(data, quiet)
    with Embedded.start(data, redis=False, durable=False) as embedded:
        assert digests(embedded.database_url) == before
    assert (major_of(data / "postgres"), major_of(data / "postgres.16")) == (own_major(), 16)
    assert not (data / "upgrade").exists()


def version(directory: Path, major: int) -> Path:
    directory.mkdir(parents=True)
    (directory / "PG_VERSION").write_text(f"{major}\n")
    return directory


def test_a_start_completes_the_renames(data: Path) -> None:
    version(data / "postgres.16", 16)
    (version(data / "upgrade" / "filled", own_major()) / "rows").touch()
    upgrade(data, quiet)
    assert (data / "postgres" / "rows").exists()
    assert major_of(data / "postgres.16") == 16
    assert not (data / "upgrade").exists()


def test_no_empty_database_begins_beside_older_data(data: Path) -> None:
    version(data / "postgres.16", 16)
    upgrade(data, quiet)
    with pytest.raises(EmbeddedError, match=r"postgres is missing, but .*postgres\.16 holds the data"):
        Embedded.start(data, redis=False)
    assert not (data / "postgres").exists()


def test_a_directory_in_use_is_not_upgraded(data: Path) -> None:
    version(data / "postgres", 16)
    with claimed(data), pytest.raises(EmbeddedInUse):
        upgrade(data, quiet)
