"""Selfies: an upload becomes a small JPEG of our own, in a process that can be ended
(`models.profiles.pictures`).

Keeps one selfie per user, 800 px at most, without metadata: the bytes that came are never served. A picture
is judged by decoding it, never by its name. Refuses more than 8 MB or 40 megapixels, and more work than two
seconds of CPU time (`models.profiles.decode_pool`).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from models.clock import Clock
from models.errors import Invalid, NotFound, TooLarge
from models.postgres.database import Db
from models.profiles.decode_pool import Decoding, Words
from models.profiles.decoder import PICTURE
from models.profiles.media import Media
from models.profiles.uploads import Uploads, size_of, unnamed_file

MOST_BYTES = 8 * 1024 * 1024
# Of the JPEG that is made of it: 800 by 800 pixels of noise have 700 kB.
MOST_KEPT = 2 * 1024 * 1024
# On their way to this process at a time (1.6 GB of disk).
MOST_UPLOADS = 200
TOO_MUCH = "This photo takes too much work to read. Use a smaller one, or save it as a plain JPEG first."
SELFIE = Words("selfie", "This photo is damaged. Take or choose another one.", TOO_MUCH)
FRAME = Words("frame", "The picture could not be read.", TOO_MUCH)


class Selfies:
    def __init__(self, db: Db, clock: Clock, data_dir: Path) -> None:
        self._db, self._data_dir = db, data_dir
        self._media = Media(db, clock)
        self._users = db.statements("profiles.users")
        self._decoding = Decoding(PICTURE)
        self.uploads = Uploads(data_dir, MOST_UPLOADS)

    async def warm(self) -> None:
        """Keeps a decoder ready: the first selfie is as quick as the others."""
        await self._decoding.warm()

    async def save(self, user_id: str, photo: BinaryIO) -> str:
        """The media id of the new selfie; the old one is deleted.

        Raises: TooLarge, UnsupportedMedia, Invalid, Unavailable, NotFound (the user was deleted).
        """
        size = size_of(photo)
        if size == 0:
            raise Invalid(selfie="Choose a photo first.")
        if size > MOST_BYTES:
            raise TooLarge("A photo may have 8 MB at most.")
        return await self.keep(user_id, await self._decoded(user_id, SELFIE, photo, is_selfie=True))

    async def keep(self, user_id: str, picture: bytes) -> str:
        """Stores a JPEG of our own as the user's selfie. Raises NotFound (the user was deleted)."""
        async with self._db.transaction() as on:
            media_id = await self._media.save(user_id, "selfie", "image/jpeg", picture, on=on)
            if not await self._users.run("set_selfie", on=on, user_id=user_id, selfie_id=media_id):
                raise NotFound
            await self._media.delete_older(user_id, "selfie", media_id, on=on)
        return media_id

    async def jpeg(self, user_id: str, data: bytes) -> bytes:
        """Another picture that a user sent, made as small and clean as a selfie. Raises as `save`."""
        if len(data) > MOST_BYTES:
            raise TooLarge("A picture may have 8 MB at most.")
        with unnamed_file(self._data_dir) as source:
            source.write(data)
            return await self._decoded(user_id, FRAME, source, is_selfie=False)

    async def close(self) -> None:
        await self._decoding.close()

    async def _decoded(self, user_id: str, words: Words, source: BinaryIO, *, is_selfie: bool) -> bytes:
        source.seek(0)
        with unnamed_file(self._data_dir) as target:
            await self._decoding.run(user_id, words, source, target, is_selfie=is_selfie)
            if not 0 < size_of(target) <= MOST_KEPT:
                raise Invalid(**{words.field: words.damaged})
            target.seek(0)
            return target.read(MOST_KEPT)
