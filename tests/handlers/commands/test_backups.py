"""`server.py backup`, `restore` and `move`: what they ask, say and return."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.commands import backups
from handlers.commands.cli import parse
from models.backups import schedule, verified
from models.backups.archive import BackupError
from models.processes.embedded import Embedded
from models.settings.config import Config
from tests.conftest import ROOT, Servers
from tests.models.backups.conftest import run_alone

ANY_FAILURE = (
    "Restoring it into a temporary PostgreSQL.\n"
    "{0}/napalmsky.failed: this backup could not be restored.\n"
    "The backup is damaged."
)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(servers: Servers, config: Config) -> Run:
    """`run("backup file", backup_key=…)`: the exit code and what was said."""

    def work(line: str, **changes: object) -> tuple[int, str]:
        told: list[str] = []
        args, settings = parse(line.split()), replace(config, **changes)  # type: ignore[arg-type]
        code = backups.run(args, settings, servers.database_url, told.append)
        return code, "\n".join(told)

    return work


async def test_a_backup_and_its_restore(run: Run, models, person, tmp_path: Path) -> None:
    anna = await person("Anna")
    file = tmp_path / "backup"
    code, told = run(f"backup {file}")
    assert code == 0
    assert "tables, made at" in told
    await models.deletions.delete(anna.user_id, "operator")
    code, told = run(f"restore {file}")
    assert code == 1
    assert told.endswith("has data, which a restore replaces. Add --replace if it may be replaced.")
    code, told = run(f"restore {file} --replace")
    assert code == 0
    assert "Restored: " in told
    assert (await models.users.find(anna.user_id)).name == "Anna"
    # A restart, and the command, apply the tombstones.
    await models.tombstones.apply()
    assert await models.users.find(anna.user_id) is None


def test_an_existing_file_is_not_overwritten_unasked(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("mine")
    code, told = run(f"backup {file}")
    assert (code, told) == (1, f"{file} exists. Add --replace if it may be replaced.")
    assert file.read_text() == "mine"
    assert run(f"backup {file} --replace")[0] == 0
    assert file.read_bytes()[:2] == b"PK"


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("backup", "set BACKUP_DIR"),
        ("backup /nowhere/file", "/nowhere/file: No such file"),
        ("backup /etc --replace", "/etc is a directory: name a file in it"),
        ("restore /nowhere/file", "/nowhere/file: No such file"),
        ("restore README.md", "not a backup of this site"),
        ("move --to embedded", "uses the built-in PostgreSQL already"),
        ("move --to postgresql://u@/d?host=/nowhere", "--to: "),
        ("move --to nonsense://", "--to must be a libpq URL (postgresql://"),
        ("move --to localhost/db", "--to must be a libpq URL (postgresql://"),
        ("move --to postgres://u:a@b@h/d", "--to must have / ? # @ and % in its user and password"),
    ],
)
def test_what_cannot_be_done_is_explained(
    run: Run, line: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    code, told = run(line)
    assert code == 1
    assert cause in told.splitlines()[-1]


def test_an_empty_database_of_the_built_in_server_names_its_directory(tmp_path: Path) -> None:
    """As with another DATA_DIR than the site's, or a container without its volume."""
    told: list[str] = []
    with Embedded.start(tmp_path, redis=False, durable=False) as embedded:
        args = parse(["backup", str(tmp_path / "file")])
        assert backups.run(args, Config(data_dir=tmp_path), embedded.database_url, told.append) == 1
    assert told == ["DATA_DIR: the database is empty: there is nothing to back up."]


@pytest.fixture
def targets(servers: Servers) -> Iterator[Callable[[str], str]]:
    """URLs of databases that a user `mover` cannot use, on the server of the run."""
    made = {
        "closed": "create database closed",
        "ascii": "create database ascii owner mover encoding 'SQL_ASCII' locale 'C' template template0",
        "shared": "create database shared owner mover",
    }
    for statement in ("create role mover login", *made.values()):
        run_alone(servers.database_url, statement)
    mine = servers.database_url.replace("postgres@", "mover@")
    run_alone(mine.replace("/postgres?", "/shared?"), "create table users (of_another_program int)")
    yield lambda name: mine.replace("/postgres?", f"/{name}?")
    for name in made:
        run_alone(servers.database_url, f"drop database {name} with (force)")
    run_alone(servers.database_url, "drop role mover")


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("closed", "--to: the user may not create or change tables there. Grant CREATE on the schema"),
        ("ascii", "--to: the database's encoding must be UTF8 (createdb --encoding=UTF8"),
        ("shared", "--to: the database has tables of another program. Create one for the site"),
        ("none", "--to: there is no such database"),
    ],
)
def test_a_database_that_cannot_take_a_move_is_not_taken_for_the_sites_own(
    run: Run, targets: Callable[[str], str], name: str, cause: str
) -> None:
    code, told = run(f"move --to {targets(name)}")
    assert code == 1
    assert told.splitlines()[-1].startswith(cause)


@pytest.mark.prove
def test_a_scheduled_backup_is_encrypted_verified_and_rotated(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "backups"
    settings = {"backup_dir": place, "backup_key": "a key of the operator's"}
    code, told = run("backup", **settings)
    assert code == 0
    assert "Restoring it into a temporary PostgreSQL." in told
    (made,) = schedule.made(place)
    assert made.read_bytes().startswith(b"napalmsky sealed backup")
    os.utime(made, (0, 0))
    made.rename(place / "napalmsky-1970-01-01T00-00-00Z.backup")
    assert "Deleted" in run("backup", **settings)[1]
    assert len(schedule.made(place)) == 1


def test_a_backup_that_cannot_be_restored_is_none(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It neither delays the next one nor counts as the newest, and good ones stay."""

    def fail(*_: object) -> None:
        raise BackupError("The backup is damaged.")

    monkeypatch.setattr(verified, "verify", fail)
    good = tmp_path / "napalmsky-1970-01-01T00-00-00Z.backup"
    good.touch()
    os.utime(good, (0, 0))
    for _ in range(2):
        assert run("backup", backup_dir=tmp_path) == (1, ANY_FAILURE.format(tmp_path))
        assert schedule.is_due(tmp_path, 24)
        assert schedule.made(tmp_path) == [good]
        assert sorted(file.name for file in tmp_path.glob("*napalmsky*")) == [good.name, schedule.FAILED]
    (tmp_path / "mine").write_text("mine")
    assert run(f"backup {tmp_path}/mine --verify --replace")[0] == 1
    assert (tmp_path / "mine").read_text() == "mine"


def test_one_process_at_a_time_makes_backups(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verified, "verify", lambda *_: None)
    part = tmp_path / ".napalmsky-2026.backup.1.part"
    part.touch()
    with schedule.alone(tmp_path) as is_alone:
        assert is_alone
        assert not part.exists()
        part.touch()
        assert run("backup --if-due", backup_dir=tmp_path) == (0, "")
        busy = "BACKUP_DIR: another process makes a backup in it now."
        assert run("backup", backup_dir=tmp_path) == (1, busy)
        assert part.exists()
        assert schedule.made(tmp_path) == []
    assert run("backup --if-due", backup_dir=tmp_path)[0] == 0
    made = schedule.made(tmp_path)
    assert len(made) == 1
    assert run("backup --if-due", backup_dir=tmp_path) == (0, "")
    assert schedule.made(tmp_path) == made
    assert not part.exists()


def test_the_program(servers: Servers, tmp_path: Path) -> None:
    """With the settings of a site that runs on other servers; the backup is its standard output."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "server.py", "backup", "-"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert done.stdout[:2] == b"PK"
    (tmp_path / "backup").write_bytes(done.stdout)
    command[2:] = ["restore", str(tmp_path / "backup"), "--replace"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert b"tombstones read" in done.stdout
