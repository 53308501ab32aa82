"""Pictures: an upload becomes a new small JPEG in sRGB, or is refused."""

from __future__ import annotations

import warnings
import zlib
from io import BytesIO
from struct import pack

import pytest
from PIL import Image, ImageDraw

from models.errors import Invalid, Problem, TooLarge, UnsupportedMedia
from models.profiles.decoding.jpeg_structure import Jpeg, read_structure
from models.profiles.decoding.pictures import LONGEST_SIDE, work
from tests.support.media.bombs import many_scans
from tests.support.media.colour_profiles import rgb_profile

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(
    mode: str = "RGB", size: tuple[int, int] = (1200, 900), kind: str = "JPEG", **options: object
) -> bytes:
    out = BytesIO()
    Image.new(mode, size, None).save(out, kind, **options)
    return out.getvalue()


def shrink(data: bytes, *, is_selfie: bool = True) -> bytes:
    """Decodes in this process. Any exception counts as a damaged picture, as in a decoder process."""
    out = BytesIO()
    try:
        # Pillow warns about damaged metadata; warnings are errors only in tests.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            work(BytesIO(data), out, {"is_selfie": is_selfie})
    except Problem:
        raise
    except Exception as error:
        raise Invalid("damaged") from error
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def chunk(name: bytes, body: bytes) -> bytes:
    return pack(">I", len(body)) + name + body + pack(">I", zlib.crc32(name + body))


def with_chunks(chunks: bytes) -> bytes:
    """A PNG with these chunks before its pixels."""
    data = picture(size=(300, 300), kind="PNG")
    at = data.index(b"IDAT") - 4
    return data[:at] + chunks + data[at:]


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header declares that many pixels, without any data."""
    head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("LA", "PNG"),
        ("P", "PNG"), ("1", "PNG"), ("I;16", "PNG"), ("RGB", "WEBP"), ("RGBA", "WEBP"),
    ],
)  # fmt: skip
def test_every_kind_becomes_a_small_rgb_jpeg(mode: str, kind: str) -> None:
    image = opened(shrink(picture(mode, kind=kind)))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (LONGEST_SIDE, 600))


def test_a_small_picture_is_not_enlarged() -> None:
    assert opened(shrink(picture(size=(200, 300)))).size == (200, 300)


def test_only_the_pixels_of_the_file_are_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret-description"
    exif.get_ifd(0x8825)[2] = (52.0, 30.0, 0.0)
    sent = picture(exif=exif, comment=b"secret-comment", icc_profile=b"secret-profile")
    assert sent.count(b"secret") == 3
    kept = shrink(sent + b"<script>secret</script>")
    assert b"secret" not in kept
    assert set(opened(kept).info) <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
    }


def test_a_rotated_picture_becomes_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("RGB", (400, 200), "white")
    ImageDraw.Draw(image).rectangle((0, 0, 200, 200), fill="black")
    out = BytesIO()
    image.save(out, "JPEG", exif=exif)
    upright = opened(shrink(out.getvalue()))
    assert upright.size == (200, 400)
    assert upright.getpixel((100, 50)) < (60, 60, 60)
    assert upright.getpixel((100, 350)) > (200, 200, 200)


def test_only_the_exif_turns_a_picture_as_in_a_browser() -> None:
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    data = picture(size=(400, 200))
    data = data[:2] + b"\xff\xe1" + pack(">H", len(xmp) + 2) + xmp + data[2:]
    assert opened(shrink(data)).size == (400, 200)


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
def test_a_png_may_have_long_texts(kind: str) -> None:
    """Editors and image generators store their settings in them."""
    heads = {"zTXt": b"a\0\0", "iTXt": b"a\0\1\0\0\0", "iCCP": b"a\0\0"}
    text = chunk(kind.encode(), heads[kind] + zlib.compress(bytes(3_000_000)))
    assert opened(shrink(with_chunks(text))).size == (300, 300)


def test_a_webp_may_be_followed_by_other_bytes() -> None:
    assert opened(shrink(picture(size=(300, 300), kind="WEBP") + b"trailer" * 100)).size == (300, 300)


def test_transparent_pixels_become_light() -> None:
    image = opened(shrink(picture("RGBA", kind="PNG")))
    assert image.getpixel((5, 5)) > (200, 200, 200)


def test_the_first_frame_of_an_animation_is_taken() -> None:
    out = BytesIO()
    frames = [Image.new("RGB", (250, 250), colour) for colour in ("white", "black", "red")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    assert opened(shrink(out.getvalue())).getpixel((125, 125)) > (200, 200, 200)


@pytest.mark.parametrize(
    "data",
    [
        SVG, b"<!doctype html><script>1</script>", b"GIF89a" + bytes(50), picture(kind="GIF"),
        picture(kind="BMP"), picture(kind="TIFF"), b"%PDF-1.7", b"\x00" * 100, b"x",
        picture(kind="GIF") + picture(),
    ],
)  # fmt: skip
def test_other_file_types_are_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        shrink(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (picture(kind="GIF"), "a GIF"), (picture(kind="BMP"), "a BMP"), (picture(kind="TIFF"), "a TIFF"),
        (b"\xff\x0a" + bytes(50), "JPEG XL"), (b"%PDF-1.7", "a PDF"), (SVG, "an SVG"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "a video"), (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x18ftypavif" + bytes(50), "AVIF"),
    ],
)  # fmt: skip
def test_another_kind_is_named(data: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedMedia, match=kind):
        shrink(data)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"hevc"])
def test_a_heic_photo_is_refused_with_advice(brand: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match="HEIC"):
        shrink(b"\0\0\0\x18ftyp" + brand + bytes(400))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(kind: str, part: float) -> None:
    noise, out = Image.effect_noise((300, 300), 80).convert("RGB"), BytesIO()
    noise.save(out, kind)
    data = out.getvalue()
    with pytest.raises(Invalid, match="damaged"):
        shrink(data[: int(len(data) * part)])


def changed(kind: str, place: bytes, offset: int, value: bytes, size: tuple[int, int] = (300, 300)) -> bytes:
    """A picture with other bytes at `offset` after `place`."""
    out = BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, kind)
    data = bytearray(out.getvalue())
    at = data.index(place) + offset
    data[at : at + len(value)] = value
    return bytes(data)


DAMAGED = {
    "PNG, checksum of the header": changed("PNG", b"IHDR", 17, b"\0\0\0\0"),
    "PNG, impossible depth": changed("PNG", b"IHDR", 12, b"\x4d"),
    "PNG, no size": changed("PNG", b"IHDR", 4, bytes(8)),
    "PNG, first byte": changed("PNG", b"PNG", -1, b"\x09"),
    "PNG, signature": changed("PNG", b"PNG", 3, b"\n\x1a\n\0"),
    "PNG, length of its data": changed("PNG", b"IDAT", -4, b"\xff" * 4),
    "PNG, data": changed("PNG", b"IDAT", 4, b"\0" * 50),
    "PNG, ends in the header": changed("PNG", b"PNG", 0, b"")[:30],
    "PNG, only the signature": b"\x89PNG\r\n\x1a\n",
    "JPEG, first byte": changed("JPEG", b"\xff\xd8", 0, b"\0"),
    "JPEG, first marker": changed("JPEG", b"\xff\xd8", 2, b"\0"),
    "JPEG, no size": changed("JPEG", b"\xff\xc0", 5, bytes(4)),
    "JPEG, only the signature": b"\xff\xd8\xff",
    "JPEG, ends in a header": changed("JPEG", b"\xff\xd8", 0, b"")[:20],
    "WebP, kind of its data": changed("WEBP", b"VP8 ", 0, b"VP8Q"),
    "WebP, first byte": changed("WEBP", b"RIFF", 0, b"\0"),
    "WebP, ends in the header": changed("WEBP", b"RIFF", 0, b"")[:14],
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_is_not_called_another_type(data: bytes) -> None:
    with pytest.raises(Invalid, match="damaged"):
        shrink(data)


@pytest.mark.parametrize(("offset", "value"), [(4, b"\x0c"), (1, b"\xc3")], ids=["12 bits", "lossless"])
def test_a_rare_kind_of_jpeg_is_named(offset: int, value: bytes) -> None:
    with pytest.raises(Invalid, match="rare kind"):
        shrink(changed("JPEG", b"\xff\xc0", offset, value))


@pytest.mark.parametrize("size", [(50_000, 50_000), (6_400, 6_400), (40_000_001, 1)])
def test_too_many_pixels_are_refused_by_the_header_alone(size: tuple[int, int]) -> None:
    with pytest.raises(TooLarge):
        shrink(png_of_size(*size))


def test_a_decompression_bomb_within_the_limit_is_refused_as_damaged() -> None:
    with pytest.raises(Invalid):
        shrink(png_of_size(6_000, 6_000))


@pytest.mark.parametrize("size", [(1, 1), (199, 400), (300, 199), (200, 601), (1, 65000), (2000, 200)])
def test_a_tiny_or_narrow_selfie_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(Invalid, match=r"too small|too narrow"):
        shrink(picture(size=size, kind="PNG"))
    assert shrink(picture(size=size, kind="PNG"), is_selfie=False)


@pytest.mark.parametrize("size", [(200, 200), (200, 600), (600, 200)])
def test_the_smallest_selfies_are_accepted(size: tuple[int, int]) -> None:
    assert opened(shrink(picture(size=size))).size == size


@pytest.mark.parametrize("count", [33, 300, 5000])
def test_many_scans_are_refused_before_they_are_decoded(count: int) -> None:
    with pytest.raises(Invalid, match="too much work"):
        shrink(many_scans(count))
    hidden = many_scans(count).replace(b"\xff\xd8", b"\xff\xd8\xff\xe1\x00\x08\xff\xd9\xff\xda\x00\x08", 1)
    with pytest.raises(Invalid, match="too much work"):
        shrink(hidden)


def test_the_scans_of_an_editor_are_read() -> None:
    assert opened(shrink(many_scans(10))).size == (800, 600)
    progressive = picture(size=(4000, 3000), progressive=True, subsampling=0)
    assert opened(shrink(progressive)).size == (800, 600)
    assert opened(shrink(picture(size=(4000, 3000), restart_marker_rows=1))).size == (800, 600)


def test_exif_thumbnails_are_not_counted_and_damaged_exif_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 50
    data = picture(exif=exif.tobytes() + many_scans(50, (16, 16)))
    assert opened(shrink(data)).size == (LONGEST_SIDE, 600)
    broken = exif.tobytes()[:10] + b"\xff" * 60
    assert opened(shrink(picture(exif=broken))).size == (LONGEST_SIDE, 600)


def test_a_large_progressive_picture_is_refused_for_its_memory() -> None:
    assert read_structure(picture(size=(640, 480)), 32) == Jpeg(1, 640 * 480 * 3)
    with pytest.raises(Invalid, match="too much work"):
        shrink(picture("CMYK", (6300, 6300), progressive=True))


def test_a_huge_webp_is_refused_by_its_header() -> None:
    with pytest.raises(TooLarge, match="40 megapixels"):
        shrink(changed("WEBP", b"\x9d\x01\x2a", 3, pack("<HH", 16000, 16000)))
    out = BytesIO()
    frames = [Image.new("RGB", (250, 250), colour) for colour in ("white", "black")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    animated = bytearray(out.getvalue())
    at = animated.index(b"VP8X") + 12
    animated[at : at + 6] = (3999).to_bytes(3, "little") * 2
    with pytest.raises(TooLarge, match="animated WebP may have at most 12"):
        shrink(bytes(animated))


@pytest.mark.parametrize(("mode", "lossless"), [("RGB", False), ("RGB", True), ("RGBA", False)])
def test_a_large_webp_has_the_pixels_of_a_small_one(mode: str, lossless: bool) -> None:
    """Above 12 megapixels it is decoded by another library."""
    exif = Image.Exif()
    exif[0x0112] = 6
    small = Image.new(mode, (8, 6), "white")
    ImageDraw.Draw(small).rectangle(
        (0, 0, 3, 5), fill=(200, 30, 60, 128) if mode == "RGBA" else (200, 30, 60)
    )
    seen = []
    for size in ((800, 600), (4160, 3120)):
        out = BytesIO()
        small.resize(size, Image.Resampling.NEAREST).save(
            out, "WEBP", exif=exif, lossless=lossless, method=0, icc_profile=rgb_profile()
        )
        shown = opened(shrink(out.getvalue()))
        assert shown.size == (600, 800)
        seen.append([shown.getpixel(at) for at in ((300, 200), (300, 600), (10, 380), (590, 790))])
    for one, other in zip(*seen, strict=True):
        assert all(abs(a - b) <= 3 for a, b in zip(one, other, strict=True))


def test_a_truncated_large_webp_is_refused() -> None:
    data = changed("WEBP", b"\x9d\x01\x2a", 3, pack("<HH", 5000, 5000))
    with pytest.raises(Invalid, match="damaged"):
        shrink(data[:-10])
