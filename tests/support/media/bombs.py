"""Small files that cause a lot of work."""

from __future__ import annotations

from io import BytesIO
from struct import pack

from PIL import Image

from tests.support.media.clips import clip


def many_scans(count: int, size: tuple[int, int] = (800, 600)) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    out = BytesIO()
    Image.new("L", size).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * count + data[-2:]


def counting(box: bytes, place: int, count: int) -> bytes:
    """An mp4 with a box that claims more entries: the number is `place` bytes after its name."""
    return patched(clip("mp4", "libx264", "aac"), box, place, count)


def patched(data: bytes, box: bytes, place: int, count: int) -> bytes:
    at = data.index(box) + 4 + place
    return data[:at] + pack(">I", count) + data[at + 4 :]


def one_size(count: int) -> bytes:
    """Samples of one byte each: their table needs no more than the count."""
    return patched(counting(b"stsz", 4, 1), b"stsz", 8, count)


HUNGRY_VIDEOS = {
    "80 million samples": one_size(80_000_000),
    "4 billion samples": one_size(2**32 - 1),
    "samples by time": counting(b"stts", 8, 80_000_000),
    "entries of times": counting(b"stts", 4, 2**32 - 1),
    "chunks": counting(b"stco", 4, 100_000_000),
    "samples of a chunk": counting(b"stsc", 4, 100_000_000),
    "edits": counting(b"elst", 4, 50_000_000),
    "kinds": counting(b"stsd", 4, 2**31),
}
