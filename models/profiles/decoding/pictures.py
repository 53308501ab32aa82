"""Picture decoding in a decoder process: an upload becomes a new small JPEG.

The result is upright, in sRGB, at most 800 px wide and high, without metadata. Only its pixels come from the
upload.
"""

from __future__ import annotations

import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

from models.errors import Invalid, Problem, TooLarge, UnsupportedMedia
from models.profiles.decoding.colours import to_srgb
from models.profiles.decoding.jpeg_structure import read_structure
from models.profiles.decoding.large_pictures import shrunk

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 800
# For a selfie: the least pixels of the shorter side, and the highest ratio of the sides.
LEAST_SIDE, MOST_RATIO = 200, 3
MOST_SCANS, MOST_COEFFICIENTS = 32, 200_000_000
TOO_MUCH = "This photo takes too much work to read. Use a smaller one, or save it as a plain JPEG first."
QUALITY = 86
FORMATS = ("JPEG", "PNG", "WEBP")
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")
KINDS = "Use a photo in JPEG, PNG or WebP."
HEIC_WORDS = (
    "This is a HEIC photo, a format that browsers cannot show. Take one with the camera here, or choose it "
    "on your iPhone (which sends a JPEG), or save it as JPEG first."
)
AVIF_WORDS = "This is an AVIF photo. Save it as JPEG, PNG or WebP first, or take one with the camera here."
# The background of the light theme, behind transparent pictures.
PAPER = (252, 243, 234)
ORIENTATION = 0x0112
# How to turn a picture upright, by its EXIF orientation (Exif 2.32, 4.6.4).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
# Pillow makes four copies while it decodes a WebP.
MOST_WEBP_PIXELS = 12_000_000
ImageFile.LOAD_TRUNCATED_IMAGES = False


def work(source: BinaryIO, target: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    """Writes the JPEG to `target`. With `is_selfie`, the sides must fit a selfie.

    Raises: TooLarge, UnsupportedMedia, Invalid, and any exception of Pillow for a damaged picture.
    """
    try:
        with _opened(source) as image:
            check_size(*image.size, is_selfie=bool(request.get("is_selfie")))
            if image.format in ("JPEG", "MPO"):
                check_work(source)
            _encode(upright(image), target)
    except UnidentifiedImageError as error:
        raise UnsupportedMedia(words_for(_head(source))) from error
    return {}


def _opened(source: BinaryIO) -> Image.Image:
    """Opens the picture by its header. Raises: TooLarge for more pixels than the memory limit allows."""
    is_webp = _head(source)[8:12] == b"WEBP"
    # Pillow refuses twice this number, and warns above it.
    Image.MAX_IMAGE_PIXELS = (MOST_WEBP_PIXELS if is_webp else MOST_PIXELS) // 2
    source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(source, formats=FORMATS)
    except Image.DecompressionBombError as error:
        kind, most = ("WebP photo", MOST_WEBP_PIXELS) if is_webp else ("photo", MOST_PIXELS)
        raise TooLarge(f"A {kind} may have at most {most // 1_000_000} megapixels.") from error


def check_size(width: int, height: int, *, is_selfie: bool) -> None:
    """Raises Invalid."""
    if not is_selfie:
        return
    if min(width, height) < LEAST_SIDE:
        raise Invalid(f"This photo is too small. It needs at least {LEAST_SIDE} pixels on each side.")
    if max(width, height) > MOST_RATIO * min(width, height):
        raise Invalid(f"This photo is too narrow. One side may be at most {MOST_RATIO} times the other.")


def check_work(source: BinaryIO) -> None:
    """Raises: Invalid for a JPEG that cannot be decoded within the limits."""
    at = source.tell()
    source.seek(0)
    jpeg = read_structure(source.read(), MOST_SCANS)
    source.seek(at)
    if jpeg.scans > MOST_SCANS or (jpeg.scans > 1 and jpeg.coefficients > MOST_COEFFICIENTS):
        raise Invalid(TOO_MUCH)


def words_for(head: bytes) -> str:
    """The advice for another file type, by the brand in its first box (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return HEIC_WORDS
    if head[4:8] == b"ftyp" and head[8:12] in AVIF_BRANDS:
        return AVIF_WORDS
    return KINDS


def upright(image: Image.Image) -> Image.Image:
    """The first frame in sRGB, reduced and rotated as the EXIF says."""
    image.seek(0)
    small = to_srgb(shrunk(image, LONGEST_SIDE), image.info)
    turn = TURNS.get(_orientation(image))
    return small if turn is None else small.transpose(turn)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1 (upright) if the EXIF is damaged."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Problem:
        raise
    except Exception:  # Pillow's reader raises many kinds
        return 1


def _encode(image: Image.Image, target: BinaryIO) -> None:
    """Copies only the pixels: the new picture has no EXIF, profile or comment."""
    pixels = image.convert("RGBA")
    fresh = Image.new("RGB", pixels.size, PAPER)
    fresh.paste(pixels, mask=pixels.getchannel("A"))
    fresh.save(target, "JPEG", quality=QUALITY, optimize=True, progressive=True)


def _head(source: BinaryIO) -> bytes:
    source.seek(0)
    return source.read(12)
