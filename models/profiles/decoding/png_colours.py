"""The colour space of a PNG without an ICC profile, as an ICC profile (PNG, third edition, 4.3; ICC.1:2022).

The chunks count in the order cICP, iCCP, sRGB, gAMA and cHRM. Curves for screens of high dynamic range (PQ,
HLG) and impossible values are ignored. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from struct import pack, unpack
from typing import BinaryIO

Point = tuple[float, float]
Vector = tuple[float, float, float]
Rows = Sequence[Sequence[float]]
NAMES = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM")
MOST_CHUNKS, LONGEST = 1000, 32
D65: Point = (0.3127, 0.3290)
D50: Vector = (0.9642, 1.0, 0.82491)
# The white, red, green and blue of the primaries in ITU-T H.273, table 2.
SRGB = (D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
PRIMARIES: dict[int, tuple[Point, ...]] = {
    1: SRGB,
    5: (D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    9: (D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    12: (D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
# H.273, table 3: the exponent of a screen; 0 stands for the curve of sRGB.
SRGB_CURVE = 0.0
TRANSFERS = {1: 2.4, 4: 2.2, 5: 2.8, 6: 2.4, 8: 1.0, 13: SRGB_CURVE, 14: 2.4, 15: 2.4}
# The gamma that stands for sRGB in files of old programs.
USUAL_GAMMA = 1 / 0.45455
BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def read_chunks(source: BinaryIO) -> dict[bytes, bytes]:
    """The chunks about colours. Raises: ValueError, if a chunk ends after the file."""
    end = source.seek(0, 2)
    return dict(_chunks(source, end))


def _chunks(source: BinaryIO, end: int) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    for _ in range(MOST_CHUNKS):
        source.seek(at)
        head = source.read(8)
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or at + 12 + length > end:
            raise ValueError("a PNG that ends inside a chunk")
        if name in (b"IDAT", b"IEND"):
            return
        if name in NAMES:
            yield name, source.read(min(length, LONGEST))
        at += 12 + length


def profile_of(chunks: Mapping[bytes, bytes], *, is_grey: bool) -> bytes | None:
    """None if the picture is in sRGB, has a profile of its own, or cannot be converted."""
    space = _space_of(chunks)
    if space is None:
        return None
    primaries, gamma = space
    if is_grey:
        return (
            None if gamma == SRGB_CURVE else _profile(b"GRAY", {b"wtpt": _xyz(D50), b"kTRC": _curve(gamma)})
        )
    try:
        colours = _adapted(primaries)
    except ZeroDivisionError:
        return None
    tags = {b"wtpt": _xyz(D50)} | dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(_xyz, colours), strict=True))
    return _profile(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma)))


def _space_of(chunks: Mapping[bytes, bytes]) -> tuple[tuple[Point, ...], float] | None:
    """Primaries and exponent; None for sRGB."""
    coded = chunks.get(b"cICP", b"")
    if len(coded) == 4 and coded[0] in PRIMARIES and coded[1] in TRANSFERS:
        space = PRIMARIES[coded[0]], TRANSFERS[coded[1]]
        return None if space == (SRGB, SRGB_CURVE) else space
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None
    points, gamma = _points_of(chunks.get(b"cHRM", b"")), _gamma_of(chunks.get(b"gAMA", b""))
    is_srgb = all(abs(one - other) < 0.002 for one, other in zip(sum(points, ()), sum(SRGB, ()), strict=True))
    return None if is_srgb and gamma == SRGB_CURVE else (points, gamma)


def _points_of(data: bytes) -> tuple[Point, ...]:
    if len(data) != 32:
        return SRGB
    numbers = [one / 100_000 for one in unpack(">8I", data)]
    points = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    return points if all(0 < y <= 1 and x <= 1 for x, y in points) else SRGB


def _gamma_of(data: bytes) -> float:
    stored = int.from_bytes(data, "big") / 100_000 if len(data) == 4 else 0.0
    if not 0.1 <= stored <= 10:
        return SRGB_CURVE
    return SRGB_CURVE if abs(1 / stored - USUAL_GAMMA) < 0.03 else 1 / stored


def _adapted(points: tuple[Point, ...]) -> list[Vector]:
    """The primaries as XYZ under D50, by the Bradford transform (ICC.1:2022, annex E)."""
    white, *primaries = (_upright(point) for point in points)
    weights = _solved(tuple(zip(*primaries, strict=True)), white)
    cones = [one / other for one, other in zip(_times(BRADFORD, D50), _times(BRADFORD, white), strict=True)]
    colours = []
    for primary, weight in zip(primaries, weights, strict=True):
        seen = _times(BRADFORD, (primary[0] * weight, primary[1] * weight, primary[2] * weight))
        colours.append(_solved(BRADFORD, (seen[0] * cones[0], seen[1] * cones[1], seen[2] * cones[2])))
    return colours


def _upright(point: Point) -> Vector:
    """XYZ with Y = 1."""
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _times(matrix: Rows, vector: Vector) -> Vector:
    one, two, three = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return one, two, three


def _solved(matrix: Rows, vector: Vector) -> Vector:
    """The solution of three linear equations, by Cramer's rule. Raises: ZeroDivisionError."""
    whole = _determinant(matrix)

    def at(column: int) -> float:
        rows = zip(matrix, vector, strict=True)
        return _determinant([[*row[:column], value, *row[column + 1 :]] for row, value in rows]) / whole

    return at(0), at(1), at(2)


def _determinant(rows: Rows) -> float:
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _xyz(values: Vector) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _curve(gamma: float) -> bytes:
    """A parametric curve (ICC.1:2022, 10.18)."""
    if gamma == SRGB_CURVE:
        return (
            b"para" + bytes(4) + pack(">Hxx", 3) + _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        )
    return b"para" + bytes(4) + pack(">Hxx", 0) + _fixed(gamma)


def _fixed(*values: float) -> bytes:
    return b"".join(pack(">i", max(-(2**31), min(2**31 - 1, round(one * 65536)))) for one in values)


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    size = pack(">I", 128 + len(table) + len(body))
    head = size + bytes(4) + b"\x04\x40\0\0mntr" + space + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    return head + _fixed(*D50) + bytes(48) + table + body
