"""The parts of a form that was received into a file (RFC 7578): found by their boundary, none is copied."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from typing import BinaryIO

from models.errors import BadRequest
from models.file_parts import Part

MOST_PARTS = 10
MOST_HEAD = 8 * 1024
NAME = re.compile(rb'^content-disposition:[^\r\n]*?;\s*name="([^"\r\n]*)"', re.I | re.M)


def parts_of(file: BinaryIO, content_type: str) -> dict[str, Part]:
    """Name -> bytes; of two with one name the later. Raises BadRequest."""
    found = re.search(r'boundary="?([^\s";,]{1,70})"?', content_type)
    file.flush()
    if found is None or os.fstat(file.fileno()).st_size == 0:
        raise BadRequest("The form could not be read.")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as body:
        ranges = list(_ranges(body, b"--" + found[1].encode()))
    return {name: Part(file, start, end) for name, start, end in ranges}


def _ranges(body: mmap.mmap, mark: bytes) -> Iterator[tuple[str, int, int]]:
    """(name, start, end) of each part; the last mark ends with two hyphens."""
    at = body.find(mark)
    for _ in range(MOST_PARTS):
        at += len(mark)
        if body[at : at + 2] == b"--":
            return
        head_end = body.find(b"\r\n\r\n", at, at + MOST_HEAD)
        end = body.find(b"\r\n" + mark, head_end + 4)
        name = NAME.search(body[at : head_end + 2])
        if at < len(mark) or head_end < 0 or end < 0 or name is None:
            break
        yield name[1].decode(errors="replace"), head_end + 4, end
        at = end + 2
    raise BadRequest("The form could not be read.")
