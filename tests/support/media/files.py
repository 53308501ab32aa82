"""Open files with given bytes, like the files of uploads."""

from __future__ import annotations

import io
import os
import tempfile


class Unnamed(io.FileIO):
    """Closed without a warning when it is garbage-collected."""

    def __del__(self) -> None:
        self.close()


def file_of(data: bytes) -> Unnamed:
    """The position is at the start."""
    descriptor, name = tempfile.mkstemp()
    os.unlink(name)
    file = Unnamed(descriptor, "r+b")
    file.write(data)
    file.seek(0)
    return file
