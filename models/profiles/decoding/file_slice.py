"""A slice of an open file with its own read position: an unnamed file cannot be opened twice."""

from __future__ import annotations

import io
import os
from typing import BinaryIO


class FileSlice(io.RawIOBase):
    """The bytes from `start` to `end` of an open file. Closing the slice leaves the file open."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        super().__init__()
        self._descriptor, self._start, self._end = file.fileno(), start, end
        self._at = start

    @property
    def size(self) -> int:
        return self._end - self._start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = max(0, min(len(buffer), self._end - self._at))
        data = os.pread(self._descriptor, size, self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        self._at = max(self._start, base + offset)
        return self.tell()

    def tell(self) -> int:
        return self._at - self._start
