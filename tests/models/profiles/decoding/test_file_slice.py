"""A slice of a file reads like a separate file."""

from __future__ import annotations

import os
import tempfile
from io import BufferedReader

from models.profiles.decoding.file_slice import FileSlice


def test_a_slice_has_its_own_position_and_end() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(b"head|body of it|tail")
        part, same = FileSlice(file, 5, 15), FileSlice(file, 5, 15)
        assert (part.size, part.read()) == (10, b"body of it")
        assert (part.read(), same.read(4), same.tell()) == (b"", b"body", 4)
        assert (part.seek(-2, os.SEEK_END), part.read(99)) == (8, b"it")
        assert (part.seek(-99), part.read(4)) == (0, b"body")
        assert BufferedReader(FileSlice(file, 5, 15)).readline() == b"body of it"
        part.close()
        assert not file.closed
