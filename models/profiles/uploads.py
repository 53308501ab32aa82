"""Files that uploads are received into: unnamed, and limited in number.

An unnamed file is deleted when it is closed, however the process ends. The files are in the data directory,
because the system's temporary directory may be in memory.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from models.errors import Unavailable, file_problem
from models.security.addresses import subject_of

logger = logging.getLogger(__name__)
MOST_OWN = 3
RETRY_SECONDS = 10


class Uploads:
    def __init__(self, directory: Path, most: int) -> None:
        self._directory, self._most = directory, most
        self._owners: dict[BinaryIO, str] = {}
        self._subjects: dict[BinaryIO, str] = {}

    def __len__(self) -> int:
        return len(self._owners)

    def open(self, owner: str, address: str) -> BinaryIO:
        """Opens a file to receive into; release it with `close`.

        Raises: Unavailable if this owner, this address (half of all), or all together have too many uploads.
        """
        subject = subject_of(address)
        is_full = len(self) >= self._most or list(self._owners.values()).count(owner) >= MOST_OWN
        if is_full or list(self._subjects.values()).count(subject) >= self._most // 2:
            raise Unavailable(
                "Too many files are being uploaded. Please try again in a moment.", retry_after=RETRY_SECONDS
            )
        file = unnamed_file(self._directory)
        self._owners[file], self._subjects[file] = owner, subject
        return file

    def close(self, file: BinaryIO) -> None:
        """Closing a file twice is allowed."""
        self._owners.pop(file, None)
        self._subjects.pop(file, None)
        file.close()


def unnamed_file(directory: Path) -> BinaryIO:
    """An unbuffered file: a decoder process uses the same descriptor.

    Raises: Unavailable if no file can be created; DiskFull.
    """
    for place in (directory, None):
        try:
            return cast("BinaryIO", TemporaryFile(buffering=0, dir=place))
        except OSError as error:
            problem, cause = file_problem(error), error.strerror or "there is none"
    logger.error("DATA_DIR and TMPDIR: no temporary file can be created (%s)", cause)
    raise problem


def size_of(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def write_all(file: BinaryIO, data: bytes) -> None:
    """Writes to an unbuffered file, which may take less than all at once. Raises: Unavailable, DiskFull."""
    try:
        while data:
            data = data[file.write(data) :]
    except OSError as error:
        raise file_problem(error) from error
