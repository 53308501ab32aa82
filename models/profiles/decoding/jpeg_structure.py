"""The decoding cost of a JPEG, read from its markers before decoding (ITU-T T.81, annex B).

A decoder processes the whole picture once per scan, and a scan can be a few bytes long; editors write at most
a dozen. With several scans, it keeps the coefficients of the whole picture in memory.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SOS, EOI, TEM = 0xDA, 0xD9, 0x01
# Start of frame of every coding process, without the other markers in the range (DHT, JPG, DAC).
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Baseline, extended and progressive; the latter two also with arithmetic coding.
USUAL = {0xC0, 0xC1, 0xC2, 0xC9, 0xCA}
# Markers without a length: start and end of the image, restarts, and TEM.
BARE = {TEM, *range(0xD0, 0xDA)}
MARKER = re.compile(rb"\xff+([\x01-\xfe])", re.DOTALL)
# In entropy-coded data, 0xff is followed by 0 or by a restart.
END_OF_SCAN = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]", re.DOTALL)


class Jpeg(NamedTuple):
    """`scans` in the first image; `coefficients`: the bytes they take for the whole picture. A rare kind is
    lossless, hierarchical, or not of 8 bits.
    """

    scans: int
    coefficients: int
    is_rare: bool = False


def read_structure(data: bytes, most_scans: int) -> Jpeg:
    """Stops after one scan more than `most_scans`."""
    at, scans, coefficients, is_rare = 2, 0, 0, False
    while (found := MARKER.search(data, at)) is not None and scans <= most_scans:
        kind, at = found[1][0], found.end()
        if kind == EOI:
            break
        if kind in BARE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if kind in FRAMES:
            coefficients = max(coefficients, _coefficients(data[at + 2 : at + length]))
            is_rare = is_rare or kind not in USUAL or data[at + 2 : at + 3] != b"\x08"
        at += length
        if kind == SOS:
            scans += 1
            end = END_OF_SCAN.search(data, at)
            at = end.start() if end else len(data)
    return Jpeg(scans, coefficients, is_rare)


def _coefficients(frame: bytes) -> int:
    """Two bytes for each sample of each component, by its sampling factors."""
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    factors = [(byte >> 4, byte & 15) for byte in frame[7::3]]
    largest = max((one for one, _ in factors), default=1) * max((two for _, two in factors), default=1)
    return sum(2 * width * height * one * two for one, two in factors) // max(1, largest)
