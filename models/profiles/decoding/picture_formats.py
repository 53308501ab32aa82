"""The format of a picture by its first bytes, and the text for a file that is not accepted. Pure."""

from __future__ import annotations

HEAD_BYTES = 64
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
AVIF_BRANDS = (b"avif", b"avis")
KINDS = "Use a photo in JPEG, PNG or WebP."
HEIC_WORDS = (
    "This is a HEIC photo, a format that browsers cannot show. Take one with the camera here, or choose it "
    "on your iPhone (which sends a JPEG), or save it as JPEG first."
)
AVIF_WORDS = "This is an AVIF photo. Save it as JPEG, PNG or WebP first, or take one with the camera here."
BEGINNINGS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP picture",
    b"II*\0": "a TIFF or raw picture",
    b"MM\0*": "a TIFF or raw picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 picture",
    b"%PDF": "a PDF file",
    b"<svg": "an SVG drawing",
    b"\x1aE\xdf\xa3": "a video",
}


def is_damaged(head: bytes) -> bool:
    """Whether a file that no decoder recognises was a JPEG, PNG or WebP before it was damaged."""
    is_jpeg = head[:2] == b"\xff\xd8" or head[6:11] in (b"JFIF\0", b"Exif\0")
    is_png = b"\x89PNG" in head[:8] or head[1:4] == b"PNG" or head[12:16] == b"IHDR"
    is_webp = head[8:12] == b"WEBP" or (head[:4] == b"RIFF" and head[12:15] == b"VP8")
    return is_jpeg or is_png or is_webp


def words_for(head: bytes) -> str:
    """The advice for another file type; that of a box file by its brands (ISO/IEC 14496-12, 4.3)."""
    if head[4:8] == b"ftyp":
        return _words_for_brands(head[8:12], head[16:HEAD_BYTES])
    for beginning, kind in BEGINNINGS.items():
        if head.startswith(beginning):
            return f"This is {kind}. {KINDS}"
    return KINDS


def _words_for_brands(major: bytes, others: bytes) -> str:
    if major in AVIF_BRANDS or (major == b"mif1" and b"avif" in others):
        return AVIF_WORDS
    return HEIC_WORDS if major in HEIC_BRANDS else f"This is a video. {KINDS}"
