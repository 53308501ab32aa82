"""Selfies: an upload becomes a new small JPEG, made in a decoder process.

One selfie is stored per user, at most 800 px wide and high, without metadata; the uploaded bytes are never
served. A picture is judged by decoding it, never by its name. Limits: 8 MB, 40 megapixels, and two seconds of
CPU time. `models.profiles.decoding` has the decoder and its limits.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from models.clock import Clock
from models.errors import Invalid, NotFound, TooLarge
from models.postgres.database import Db
from models.profiles.decoded import Decoded
from models.profiles.decoding.decoder import PICTURE
from models.profiles.decoding.pool import DecodePool, ErrorTexts
from models.profiles.media import Media
from models.profiles.screening.screening import Screening
from models.profiles.uploads import Uploads, size_of, unnamed_file, write_all

MOST_BYTES = 8 * 1024 * 1024
# Bytes of the new JPEG; 800 by 800 pixels of noise take 700 kB.
MOST_KEPT = 2 * 1024 * 1024
# Uploads being received by this process at a time (1.6 GB of disk).
MOST_UPLOADS = 200
TOO_MUCH = "This photo takes too much work to read. Use a smaller one, or save it as a plain JPEG first."
SELFIE = ErrorTexts("selfie", "This photo is damaged. Take or choose another one.", TOO_MUCH)
FRAME = ErrorTexts("frame", "The picture could not be read.", TOO_MUCH)


class Selfies:
    def __init__(self, db: Db, clock: Clock, data_dir: Path, screening: Screening) -> None:
        self._db, self._data_dir, self._screening = db, data_dir, screening
        self._media = Media(db, clock)
        self._users = db.statements("profiles.users")
        self._decoding = DecodePool(PICTURE)
        self.uploads = Uploads(data_dir, MOST_UPLOADS)

    async def warm(self) -> None:
        """Starts a decoder in advance, so that the first selfie does not wait for it."""
        await self._decoding.warm()

    async def save(self, user_id: str, photo: BinaryIO) -> str:
        """Replaces the selfie and returns its new media id.

        Raises: TooLarge, UnsupportedMedia, Invalid, Unavailable, NotFound (the user was deleted).
        """
        size = size_of(photo)
        if size == 0:
            raise Invalid(selfie="Choose a photo first.")
        if size > MOST_BYTES:
            raise TooLarge("A photo may have at most 8 MB.")
        return await self.keep(user_id, await self._decoded(user_id, SELFIE, photo, is_selfie=True))

    async def keep(self, user_id: str, picture: Decoded) -> str:
        """Stores a decoded JPEG as the user's selfie. Raises: Invalid (refused), NotFound (deleted)."""
        cause = await self._screening.check(picture, "selfie")
        async with self._db.transaction() as on:
            media_id = await self._media.save(user_id, "selfie", "image/jpeg", picture.data, on=on)
            await self._screening.keep(user_id, media_id, picture, cause, frame=False, on=on)
            if not await self._users.run("set_selfie", on=on, user_id=user_id, selfie_id=media_id):
                raise NotFound
            await self._media.delete_older(user_id, "selfie", media_id, on=on)
        return media_id

    async def jpeg(self, user_id: str, data: bytes) -> Decoded:
        """Decodes another picture of a user like a selfie, without storing it. Raises as `save`."""
        if len(data) > MOST_BYTES:
            raise TooLarge("A picture may have at most 8 MB.")
        with unnamed_file(self._data_dir) as source:
            write_all(source, data)
            return await self._decoded(user_id, FRAME, source, is_selfie=False)

    async def close(self) -> None:
        await self._decoding.close()

    async def _decoded(
        self, user_id: str, words: ErrorTexts, source: BinaryIO, *, is_selfie: bool
    ) -> Decoded:
        source.seek(0)
        with unnamed_file(self._data_dir) as target:
            found = await self._decoding.run(user_id, words, source, target, is_selfie=is_selfie)
            if not 0 < size_of(target) <= MOST_KEPT:
                raise Invalid(**{words.field: words.damaged})
            target.seek(0)
            return Decoded.of(target.read(MOST_KEPT), found)
