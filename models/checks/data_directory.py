"""Whether DATA_DIR or BACKUP_DIR can be used, judged where it is or would be created. Read only."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

LEAST_FREE_BYTES = 200 * 1024 * 1024
CAUSES = {
    errno.EROFS: "it is on a file system that is mounted read-only",
    errno.ENOSPC: "its disk is full",
    errno.EDQUOT: "its disk quota is used up",
    errno.ELOOP: "it is a symbolic link that leads to itself",
    errno.ENAMETOOLONG: "it has a name that is too long",
    errno.EACCES: "this process's user may not write there, or may not pass a directory above",
    errno.ENOENT: "its file system does not allow new files",
}  # fmt: skip


def why_unusable(data: Path, *, keeps_all: bool, setting: str = "DATA_DIR") -> str | None:
    """`DATA_DIR: …` (or `setting`), or None. `keeps_all`: the embedded servers keep their data there."""
    data = data.absolute()
    try:
        if cause := _why_no_place(data):
            return f"{setting}: {cause}."
        place = next(path for path in (data, *data.parents) if path.exists())
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free
    except OSError as error:
        number = error.errno or 0
        return f"{setting}: {CAUSES.get(number, 'it cannot be used')} ({os.strerror(number)})."
    if keeps_all and free < LEAST_FREE_BYTES:
        return f"{setting}: less than 200 MB are free there."
    return None


def _why_no_place(data: Path) -> str | None:
    """Why it neither is a directory nor can become one. Raises: OSError."""
    for path in (data, *data.parents):
        what = "it is" if path == data else "a part of its path is"
        if path.is_dir():
            return None
        if path.exists():
            return f"{what} not a directory"
        if path.is_symlink():
            try:
                path.stat()
            except FileNotFoundError:
                return f"{what} a symbolic link to something that does not exist"
    return None
