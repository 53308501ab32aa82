"""The size and the metadata of a WebP, read from its chunks before decoding (RFC 9649). Pure."""

from __future__ import annotations

from typing import NamedTuple

ANIMATED = 0x02


class Webp(NamedTuple):
    """`profile` and `exif` are None if the file has none."""

    width: int
    height: int
    is_animated: bool
    profile: bytes | None
    exif: bytes | None


def read_webp(data: bytes) -> Webp:
    """The size is the largest that any part announces; 0 if there is none, as in a damaged file. Bytes after
    the end that the header announces are ignored.

    Raises: ValueError, if a part ends after the file.
    """
    width = height = flags = 0
    metadata: dict[bytes, bytes] = {}
    at, data = 12, data[: 8 + int.from_bytes(data[4:8], "little")]
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"VP8X":
            flags = body[0] if body else 0
        if name in (b"ICCP", b"EXIF"):
            metadata.setdefault(name, body)
        wide, high = _size_of(name, body[:16])
        width, height = max(width, wide), max(height, high)
        at += 8 + size + size % 2
        if at - size % 2 > len(data):
            raise ValueError("a WebP that ends inside a part")
    return Webp(width, height, bool(flags & ANIMATED), metadata.get(b"ICCP"), metadata.get(b"EXIF"))


def _size_of(name: bytes, body: bytes) -> tuple[int, int]:
    if name == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if name == b"VP8 ":
        return _bits(body[6:8], 0), _bits(body[8:10], 0)
    if name == b"VP8L":
        return 1 + _bits(body[1:5], 0), 1 + _bits(body[1:5], 14)
    return 0, 0


def _bits(number: bytes, shift: int) -> int:
    """Fourteen bits of a little-endian number."""
    return int.from_bytes(number, "little") >> shift & 0x3FFF
