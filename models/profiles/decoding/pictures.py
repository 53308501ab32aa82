"""Picture decoding in a decoder process: an upload becomes a new small JPEG.

The result is upright, in sRGB, at most 800 px wide and high, without metadata. Only its pixels come from the
upload.
"""

from __future__ import annotations

import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageFile, PngImagePlugin, UnidentifiedImageError

from models.errors import Invalid, TooLarge, UnsupportedMedia
from models.profiles.decoding import descriptions
from models.profiles.decoding.colours import to_srgb
from models.profiles.decoding.jpeg_structure import Jpeg, read_structure
from models.profiles.decoding.large_pictures import shrunk
from models.profiles.decoding.picture_formats import HEAD_BYTES, is_damaged, words_for
from models.profiles.decoding.png_colours import profile_of, read_chunks
from models.profiles.decoding.webp_structure import read_webp

MOST_PIXELS = 40_000_000
LONGEST_SIDE = 800
# For a selfie: the least pixels of the shorter side, and the highest ratio of the sides.
LEAST_SIDE, MOST_RATIO = 200, 3
MOST_SCANS, MOST_COEFFICIENTS = 32, 200_000_000
TOO_MUCH = "This photo takes too much work to read. Use a smaller one, or save it as a plain JPEG first."
TOO_MANY_PIXELS = "A {} may have at most {} megapixels."
QUALITY = 86
PNG, GREY = b"\x89PNG\r\n\x1a\n", ("1", "L", "LA", "I", "I;16", "I;16B")
FORMATS = ("JPEG", "PNG", "WEBP")
RARE = "This JPEG is of a rare kind that browsers cannot show. Save it as a plain JPEG first."
# The background of the light theme, behind transparent pictures.
PAPER = (252, 243, 234)
ORIENTATION = 0x0112
# How to turn a picture upright, by its EXIF orientation (Exif 2.32, 4.6.4).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
# Pillow makes four copies while it decodes a WebP; libav decodes larger ones, if they are not animated.
MOST_WEBP_PIXELS = 12_000_000
ImageFile.LOAD_TRUNCATED_IMAGES = False
# Bytes of a decompressed text or profile of a PNG. Some editors write more than the 1 MB of Pillow.
PngImagePlugin.MAX_TEXT_CHUNK = 8 * 1024 * 1024


def work(source: BinaryIO, target: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    """Writes the JPEG to `target` and describes it. With `is_selfie`, the sides must fit a selfie.

    Raises: TooLarge, UnsupportedMedia, Invalid, and any exception of Pillow for a damaged picture.
    """
    is_selfie = bool(request.get("is_selfie"))
    head = _head(source)
    if head[8:12] == b"WEBP" and (small := _large_webp(source, is_selfie=is_selfie)) is not None:
        return _described(_encode(small, target), is_selfie=is_selfie)
    try:
        with _opened(source, head) as image:
            check_size(*image.size, is_selfie=is_selfie)
            if image.format in ("JPEG", "MPO"):
                check_work(source)
            return _described(_encode(upright(image), target), is_selfie=is_selfie)
    except UnidentifiedImageError as error:
        if not is_damaged(head):
            raise UnsupportedMedia(words_for(head)) from error
        if head.startswith(b"\xff\xd8") and _structure(source).is_rare:
            raise Invalid(RARE) from error
        raise


def _opened(source: BinaryIO, head: bytes) -> Image.Image:
    """Opens the picture by its header. Raises: TooLarge; ValueError for a damaged PNG."""
    chunks = read_chunks(source) if head.startswith(PNG) else {}
    # Pillow refuses twice this number, and warns above it.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
    source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(source, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise TooLarge(TOO_MANY_PIXELS.format("photo", MOST_PIXELS // 1_000_000)) from error
    if (profile := profile_of(chunks, is_grey=image.mode in GREY)) is not None:
        image.info["icc_profile"] = profile
    return image


def _large_webp(source: BinaryIO, *, is_selfie: bool) -> Image.Image | None:
    """The reduced picture; None if Pillow can decode it. Raises: TooLarge, Invalid."""
    source.seek(0)
    webp = read_webp(source.read())
    pixels, most = webp.width * webp.height, MOST_WEBP_PIXELS if webp.is_animated else MOST_PIXELS
    if pixels > most:
        kind = "animated WebP" if webp.is_animated else "photo"
        raise TooLarge(TOO_MANY_PIXELS.format(kind, most // 1_000_000))
    if pixels <= MOST_WEBP_PIXELS:
        return None
    check_size(webp.width, webp.height, is_selfie=is_selfie)
    # Few pictures need it, and its import costs every decoder 20 MB and 0.1 s.
    from models.profiles.decoding.large_webp import reduced

    return _turned(to_srgb(reduced(source, LONGEST_SIDE), {"icc_profile": webp.profile}), webp.exif)


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
    jpeg = _structure(source)
    if jpeg.is_rare:
        raise Invalid(RARE)
    if jpeg.scans > MOST_SCANS or (jpeg.scans > 1 and jpeg.coefficients > MOST_COEFFICIENTS):
        raise Invalid(TOO_MUCH)


def _structure(source: BinaryIO) -> Jpeg:
    at = source.tell()
    source.seek(0)
    jpeg = read_structure(source.read(), MOST_SCANS)
    source.seek(at)
    return jpeg


def upright(image: Image.Image) -> Image.Image:
    """The first frame in sRGB, reduced and rotated as the EXIF says."""
    image.seek(0)
    small = shrunk(image, LONGEST_SIDE)
    # The reader of the EXIF would load the picture too, and its errors are ignored.
    small.load()
    return _turned(to_srgb(small, image.info), image.info.get("exif"))


def _turned(small: Image.Image, exif: bytes | None) -> Image.Image:
    turn = TURNS.get(_orientation(exif or b""))
    return small if turn is None else small.transpose(turn)


def _orientation(data: bytes) -> int:
    """The EXIF orientation, not that of XMP, as in browsers; 1 (upright) if the EXIF is damaged."""
    exif = Image.Exif()
    try:
        exif.load(data)
        return int(exif.get(ORIENTATION, 1))
    except Exception:  # Pillow's reader raises many kinds
        return 1


def _described(image: Image.Image, *, is_selfie: bool) -> dict[str, Any]:
    """Only what is shown to members is compared with removed pictures."""
    return descriptions.of_picture(image, with_hashes=is_selfie)


def _encode(image: Image.Image, target: BinaryIO) -> Image.Image:
    """Copies only the pixels: the new picture has no EXIF, profile or comment."""
    pixels = image.convert("RGBA")
    fresh = Image.new("RGB", pixels.size, PAPER)
    fresh.paste(pixels, mask=pixels.getchannel("A"))
    fresh.save(target, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return fresh


def _head(source: BinaryIO) -> bytes:
    source.seek(0)
    return source.read(HEAD_BYTES)
