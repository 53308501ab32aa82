"""Perceptual hashes of pictures, by which a re-upload of a removed picture is recognised.

256 bits: the signs of the 16 by 16 lowest frequencies (without the mean) of the discrete cosine transform of
64 by 64 grey pixels, compared with their median, as in PDQ (Facebook, 2019). Two pictures match if few bits
differ (`models.profiles.screening.removed_pictures`). The hash of a picture that is mirrored or turned by a
right angle follows from the same frequencies. Cropped and slightly turned ones are hashes of their own
(`variants`). Of a new picture there are also hashes without its edge, for a frame that was put around a known
one (`turned`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from operator import mul

from PIL import Image, ImageChops

SIDE, KEPT = 64, 16
HASH_BYTES = KEPT * KEPT // 8
# What a variant lacks on the two sides of each axis, as shares of the side.
CUTS = ((0.0, 0.0), (0.05, 0.05), (0.0, 0.06), (0.06, 0.0))
CLOSER = (0.09, 0.09)
# And on one side alone.
ONE_SIDE = (0.1, 0.14, 0.185)
SLANTS = ((-6, 0.06), (-3, 0.06), (-2, 0.0), (2, 0.0), (3, 0.06), (6, 0.06))
# What a frame may take of each side, and how much a plain one may vary (of 255; JPEG blurs its inner edge).
EDGES = (0.05, 0.09, 0.14)
PLAIN_BELOW, LEAST_INSIDE = 40, 0.3
# Below this mean of the frequencies, a picture is too flat to be recognised.
LEAST_STRUCTURE = 40.0
Cut = tuple[float, float]
COSINES = [
    [math.cos(math.pi / SIDE * (x + 0.5) * frequency) for x in range(SIDE)]
    for frequency in range(1, KEPT + 1)
]
Frequencies = list[list[float]]


def turned(image: Image.Image) -> list[bytes]:
    """The hash of the picture, and those of it mirrored, turned by right angles, and both; then the same of
    the picture without its edge and without a plain frame. None of a picture without structure, since all of
    those are alike.
    """
    first = _frequencies(_grey(image))
    if not _has_structure(first):
        return []
    small = _small(image)
    inside = [_frequencies(_grey(one)) for one in (*_without_edges(small), *_without_frame(small))]
    return [one for found in (first, *filter(_has_structure, inside)) for one in _turns(found)]


def variants(image: Image.Image) -> list[bytes]:
    """The hash of the picture, and those of it slightly cropped or turned, or without a plain frame."""
    small = _small(image)
    shown = (*_cropped(small), *_slanted(small), *_without_frame(small))
    return [_hash(_frequencies(_grey(one))) for one in shown]


def _has_structure(frequencies: Frequencies) -> bool:
    return sum(abs(value) for row in frequencies for value in row) >= LEAST_STRUCTURE * KEPT * KEPT


def _turns(frequencies: Frequencies) -> list[bytes]:
    transposed = [list(column) for column in zip(*frequencies, strict=True)]
    flips = [(x, y) for x in (1, -1) for y in (1, -1)]
    return [_hash(_flipped(one, x, y)) for one in (frequencies, transposed) for x, y in flips]


def _small(image: Image.Image) -> Image.Image:
    return image.convert("L").resize((4 * SIDE, 4 * SIDE), Image.Resampling.BOX)


def _without_edges(small: Image.Image) -> Iterator[Image.Image]:
    for edge in EDGES:
        yield _crop(small, (edge, edge), (edge, edge))


def _without_frame(small: Image.Image) -> Iterator[Image.Image]:
    """The inside of a frame or of bars of one colour, which is that of a corner; nothing if there is none."""
    plain = Image.new("L", small.size, small.getpixel((1, 1)))
    apart = ImageChops.difference(small, plain).point(lambda value: 255 if value >= PLAIN_BELOW else 0)
    box = apart.getbbox()
    if box is None or box == (0, 0, *small.size):
        return
    if min(box[2] - box[0], box[3] - box[1]) >= LEAST_INSIDE * small.width:
        yield small.crop(box)


def _cropped(grey: Image.Image) -> Iterator[Image.Image]:
    """First the whole picture."""
    for across, down in (*product(CUTS, CUTS), (CLOSER, CLOSER)):
        yield _crop(grey, across, down)
    for cut in ((share, 0.0) if first else (0.0, share) for share in ONE_SIDE for first in (True, False)):
        yield _crop(grey, cut, (0.0, 0.0))
        yield _crop(grey, (0.0, 0.0), cut)


def _slanted(grey: Image.Image) -> Iterator[Image.Image]:
    for degrees, cut in SLANTS:
        yield _crop(grey.rotate(degrees, Image.Resampling.BILINEAR), (cut, cut), (cut, cut))


def _crop(image: Image.Image, across: Cut, down: Cut) -> Image.Image:
    side = image.width
    left, top = round(side * across[0]), round(side * down[0])
    return image.crop((left, top, side - round(side * across[1]), side - round(side * down[1])))


def _grey(image: Image.Image) -> Image.Image:
    return image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)


def _frequencies(grey: Image.Image) -> Frequencies:
    """By rows, then by columns; the first row and column are those of the lowest frequency above zero."""
    data = grey.tobytes()
    rows = [data[at : at + SIDE] for at in range(0, SIDE * SIDE, SIDE)]
    across = [[sum(map(mul, row, wave)) for row in rows] for wave in COSINES]
    return [[sum(map(mul, column, wave)) for column in across] for wave in COSINES]


def _flipped(frequencies: Frequencies, x: int, y: int) -> Frequencies:
    """Of the mirrored picture: the odd frequencies change their sign."""
    return [
        [value * (1 if x > 0 or column % 2 else -1) * (1 if y > 0 or row % 2 else -1)
         for column, value in enumerate(values)]
        for row, values in enumerate(frequencies)
    ]  # fmt: skip


def _hash(frequencies: Frequencies) -> bytes:
    values = [value for row in frequencies for value in row]
    median = sorted(values)[len(values) // 2]
    bits = sum(1 << at for at, value in enumerate(values) if value > median)
    return bits.to_bytes(HASH_BYTES, "big")
