"""Selfies: whatever was sent becomes a small JPEG of our own making. The one door to Pillow.

Keeps one selfie a person, 800 px at most, without metadata: the bytes that came are never served. Promises
that a picture is judged by decoding it and never by its name, that two are decoded at a time, and that the
rest wait at most 30 s. Refuses more than 8 MB or 40 megapixels (TooLarge), what is no JPEG, PNG or WebP
(UnsupportedMedia), and what cannot be decoded to its end (Invalid).
"""

from __future__ import annotations

from functools import partial
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from models.clock import Clock
from models.db import Db
from models.decoding import Decoding
from models.errors import Invalid, NotFound, Problem, TooLarge, UnsupportedMedia
from models.media import Media

MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 800
QUALITY = 86
FORMATS = ("JPEG", "PNG", "WEBP")
HEIC_WORDS = (
    "This is a HEIC photo, a format that browsers cannot show. Take one with the camera here, or choose it "
    "on your iPhone (which sends a JPEG), or save it as JPEG first."
)
# What shows through a transparent picture: the paper of the light theme.
PAPER = (252, 243, 234)
# Our own limit is checked on the header, before a pixel is decoded; Pillow's would warn earlier and refuse
# later.
Image.MAX_IMAGE_PIXELS = None


class Selfies:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._db = db
        self._media = Media(db, clock)
        self._users = db.statements("users")
        self._decoding = Decoding("selfie")

    async def save(self, user_id: str, data: bytes) -> str:
        """The media id of the new selfie; the old one is gone.

        Raises TooLarge, UnsupportedMedia, Invalid, Unavailable, NotFound (deleted meanwhile).
        """
        if not data:
            raise Invalid(selfie="Choose a photo first.")
        if len(data) > MOST_BYTES:
            raise TooLarge("A photo may have 8 MB at most.")
        picture = await self._decoding.run(partial(shrink, data))
        async with self._db.transaction() as on:
            media_id = await self._media.save(user_id, "selfie", "image/jpeg", picture, on=on)
            if not await self._users.run("set_selfie", on=on, user_id=user_id, selfie_id=media_id):
                raise NotFound
            await self._media.delete_older(user_id, "selfie", media_id, on=on)
        return media_id

    async def jpeg(self, data: bytes) -> bytes:
        """A picture that is nobody's selfie, as small and clean as one. Raises as `save` does."""
        if len(data) > MOST_BYTES:
            raise TooLarge("A picture may have 8 MB at most.")
        return await self._decoding.run(partial(shrink, data))

    async def close(self) -> None:
        self._decoding.close()


def shrink(data: bytes) -> bytes:
    """A JPEG of our own, upright, 800 px at most. Blocking. Raises TooLarge, UnsupportedMedia, Invalid."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise TooLarge("A photo may have 40 megapixels at most.")
            return _encode(_upright(image))
    except Problem:
        raise
    except UnidentifiedImageError as error:
        raise UnsupportedMedia(
            HEIC_WORDS if is_heic(data) else "Use a photo in JPEG, PNG or WebP."
        ) from error
    except Exception as error:  # Pillow's decoders raise whatever a hostile file leads them to
        raise Invalid(selfie="This photo is damaged. Take or choose another one.") from error


def is_heic(data: bytes) -> bool:
    """By the brand in the first box (ISO/IEC 23008-12, 10.2): what iPhones keep their photos in."""
    return data[4:8] == b"ftyp" and data[8:12] in (
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevc",
        b"mif1",
        b"msf1",
    )


def _upright(image: Image.Image) -> Image.Image:
    """The first frame, small, turned as its EXIF says."""
    image.seek(0)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return ImageOps.exif_transpose(image)


def _encode(image: Image.Image) -> bytes:
    """Only pixels are taken over: a fresh picture has no EXIF, no profile, no comment."""
    pixels = image.convert("RGBA")
    fresh = Image.new("RGB", pixels.size, PAPER)
    fresh.paste(pixels, mask=pixels.getchannel("A"))
    out = BytesIO()
    fresh.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()
