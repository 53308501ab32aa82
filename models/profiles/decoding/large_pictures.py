"""The reduction of a large decoded picture in little memory, without clipping its values.

Pillow reduces RGB, grey and CMYK pictures in place. It copies pictures with transparency or a palette whole,
and it clips 16-bit values; these are reduced strip by strip here.
"""

from __future__ import annotations

from PIL import Image

PLAIN = ("RGB", "L", "CMYK")
UPPER_BYTE = {"I;16": 1, "I;16L": 1, "I;16B": 0}
STRIP_PIXELS = 1_000_000


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """At most `side` pixels wide and high; the mode is one of RGB, L, CMYK, RGBA, LA."""
    if image.mode in PLAIN and "transparency" not in image.info:
        image.thumbnail((side, side))
        return image
    image.load()
    small = _by_strips(image, max(1, max(image.size) // (2 * side)))
    small.thumbnail((side, side))
    return small


def _by_strips(image: Image.Image, factor: int) -> Image.Image:
    width, height = image.size
    rows = max(1, STRIP_PIXELS // width // factor) * factor
    small: Image.Image | None = None
    for top in range(0, height, rows):
        strip = _plain(image.crop((0, top, width, min(height, top + rows)))).reduce(factor)
        small = small or Image.new(strip.mode, (strip.width, -(-height // factor)))
        small.paste(strip, (0, top // factor))
    assert small is not None
    return small


def _plain(strip: Image.Image) -> Image.Image:
    """The same pixels in a mode that can be reduced; for 16-bit grey the upper byte."""
    if strip.mode in UPPER_BYTE:
        return Image.frombytes("L", strip.size, strip.tobytes()[UPPER_BYTE[strip.mode] :: 2])
    if strip.mode == "I":
        return strip.point(lambda value: value * (1 / 256)).convert("L")
    if strip.mode == "1":
        return strip.convert("L")
    is_plain = strip.mode in (*PLAIN, "RGBA", "LA") and "transparency" not in strip.info
    return strip if is_plain else strip.convert("RGBA")
