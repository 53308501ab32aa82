"""Colours of a PNG whose space is described by chunks instead of a profile."""

from __future__ import annotations

import zlib
from io import BytesIO
from struct import pack

import pytest
from PIL import Image

from models.profiles.decoding.png_colours import profile_of
from tests.models.profiles.decoding.test_pictures import opened, shrink
from tests.support.media.colour_profiles import rgb_profile

DISPLAY_P3 = pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB = pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
LINEAR, USUAL = pack(">I", 100_000), pack(">I", 45_455)
P3_CODE, SRGB_CODE, PQ_CODE = b"\x0c\x0d\0\1", b"\x01\x0d\0\1", b"\x09\x10\0\1"
RED_IN_P3, RED = (234, 51, 35), (255, 0, 0)


def middle(
    colour: object, chunks: dict[bytes, bytes], mode: str = "RGB", **options: object
) -> tuple[int, ...]:
    """The colour that is kept of a PNG with these chunks after its header."""
    out = BytesIO()
    Image.new(mode, (240, 240), colour).save(out, "PNG", **options)
    data = out.getvalue()
    extra = b"".join(
        pack(">I", len(body)) + name + body + pack(">I", zlib.crc32(name + body))
        for name, body in chunks.items()
    )
    return opened(shrink(data[:33] + extra + data[33:])).getpixel((120, 120))


@pytest.mark.parametrize(
    ("sent", "chunks", "seen"),
    [
        (RED_IN_P3, {b"cICP": P3_CODE}, RED),
        (RED_IN_P3, {b"cHRM": DISPLAY_P3, b"gAMA": USUAL}, RED),
        (RED_IN_P3, {b"cHRM": DISPLAY_P3}, RED),
        ((128, 128, 128), {b"gAMA": LINEAR}, (188, 188, 188)),
        ((128, 0, 255), {b"gAMA": LINEAR}, (188, 0, 255)),
        ((128, 128, 128), {b"cICP": b"\x01\x08\0\1"}, (188, 188, 188)),
        # cICP counts before sRGB, and sRGB before the others.
        (RED_IN_P3, {b"cICP": P3_CODE, b"sRGB": b"\0"}, RED),
        (RED_IN_P3, {b"sRGB": b"\0", b"cHRM": DISPLAY_P3, b"gAMA": LINEAR}, RED_IN_P3),
        (RED_IN_P3, {b"cICP": SRGB_CODE, b"gAMA": LINEAR}, RED_IN_P3),
        (RED_IN_P3, {b"cHRM": SRGB, b"gAMA": USUAL}, RED_IN_P3),
        # Not convertible, or damaged.
        (RED_IN_P3, {b"cICP": PQ_CODE}, RED_IN_P3),
        (RED_IN_P3, {b"cICP": b"\x0c"}, RED_IN_P3),
        (RED_IN_P3, {b"gAMA": bytes(4)}, RED_IN_P3),
        (RED_IN_P3, {b"gAMA": b"\xff" * 4, b"cHRM": b"\xff" * 32}, RED_IN_P3),
        (RED_IN_P3, {b"cHRM": pack(">8I", *[30000] * 8)}, RED_IN_P3),
    ],
)
def test_the_colour_is_that_which_a_browser_shows(sent: tuple, chunks: dict, seen: tuple) -> None:
    kept = middle(sent, chunks)
    assert all(abs(one - other) <= 4 for one, other in zip(kept, seen, strict=True)), kept


@pytest.mark.parametrize(("mode", "colour"), [("L", 128), ("LA", (128, 255)), ("I;16", 0x8080), ("P", 0)])
def test_grey_and_palette_pictures_are_converted_too(mode: str, colour: object) -> None:
    kept = middle(colour, {b"gAMA": LINEAR}, mode)
    assert all(abs(one - (0 if mode == "P" else 188)) <= 3 for one in kept), kept


def test_a_code_counts_before_a_profile() -> None:
    kept = middle((128, 0, 255), {b"cICP": b"\x01\x08\0\1"}, icc_profile=rgb_profile())
    assert abs(kept[0] - 188) <= 4


def test_a_picture_in_srgb_needs_no_profile() -> None:
    assert profile_of({}, is_grey=False) is None
    assert profile_of({b"gAMA": USUAL}, is_grey=True) is None
    assert profile_of({b"cHRM": DISPLAY_P3}, is_grey=True) is None
