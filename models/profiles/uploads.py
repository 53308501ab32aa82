"""Files that uploads are received into: unnamed, limited in number, and shared fairly between networks.

An unnamed file is deleted when it is closed, however the process ends. The files are in the data directory,
because the system's temporary directory may be in memory.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from models.errors import Unavailable, file_problem
from models.security.addresses import network_of

logger = logging.getLogger(__name__)
MOST_OWN = 3
RETRY_SECONDS = 10
NEW_SECONDS = 5.0
TOO_MANY = "Too many files are being uploaded. Please try again in a moment."


@dataclass(eq=False, frozen=True)
class Place:
    """An upload that is being received; `cut_off` answers it with a 503 and closes its file."""

    owner: str
    network: str
    cut_off: Callable[[], None]
    began_at: float


class Uploads:
    """The files that this process is receiving.

    If all places are taken, a network that has fewer of them than another takes one from the largest: that of
    its slowest upload. A few clients that send slowly can therefore not keep others out.
    """

    def __init__(self, directory: Path, most: int) -> None:
        self._directory, self._most = directory, most
        self._places: dict[BinaryIO, Place] = {}
        self._whole: set[BinaryIO] = set()

    def __len__(self) -> int:
        return len(self._places)

    def open(self, owner: str, address: str, cut_off: Callable[[], None]) -> BinaryIO:
        """Opens a file to receive into; release it with `close`.

        Raises: Unavailable if this owner or all together have too many uploads; DiskFull.
        """
        network = network_of(address)
        if sum(place.owner == owner for place in self._places.values()) >= MOST_OWN:
            raise Unavailable(TOO_MANY, retry_after=RETRY_SECONDS)
        if len(self) >= self._most:
            self._make_room(network)
        file = unnamed_file(self._directory)
        self._places[file] = Place(owner, network, cut_off, time.monotonic())
        return file

    def complete(self, file: BinaryIO) -> None:
        """The whole file has arrived: it keeps its place until it is closed."""
        self._whole.add(file)

    def close(self, file: BinaryIO) -> None:
        """Closing a file twice is allowed."""
        self._places.pop(file, None)
        self._whole.discard(file)
        file.close()

    def _make_room(self, network: str) -> None:
        sizes = Counter(place.network for place in self._places.values())
        largest = max(sizes.values())
        now = time.monotonic()
        # A new upload has not shown its pace yet.
        slow = [
            file
            for file, place in self._places.items()
            if sizes[place.network] == largest
            and place.began_at < now - NEW_SECONDS
            and file not in self._whole
        ]
        if sizes[network] >= largest or not slow:
            raise Unavailable(TOO_MANY, retry_after=RETRY_SECONDS)
        slowest = min(slow, key=lambda file: size_of(file) / (now - self._places[file].began_at))
        self._places[slowest].cut_off()
        self.close(slowest)


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
