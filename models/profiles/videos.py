"""Intro videos: a clean copy of an upload, made in a decoder process.

One video is stored per user, remuxed: the compressed pictures and sound of the upload in a new container
(docs/decisions/product/videos-remuxed.md). Uploads of more than 50 MB are refused, as are formats
other than webm and mp4 with codecs that browsers play, and videos that are damaged, too short, too long, too
large or too expensive to decode.
`models.profiles.decoding` has the decoder and its limits.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from models.clock import Clock
from models.errors import Invalid, NotFound
from models.postgres.database import Db
from models.profiles.decoded import Decoded
from models.profiles.decoding.decoder import VIDEO
from models.profiles.decoding.pool import DecodePool, ErrorTexts
from models.profiles.media import Media, MediaKind
from models.profiles.screening.screening import Cause, Screening
from models.profiles.uploads import Uploads, size_of, unnamed_file

MOST_BYTES = 50 * 1024 * 1024
# Uploads being received by this process at a time (2 GB of disk).
MOST_UPLOADS = 40
CONTENT_TYPES = ("video/mp4", "video/webm")
WORDS = ErrorTexts(
    "video",
    "This video is damaged. Record or choose another one.",
    "This video takes too much work to read. Use a smaller one, or record one here.",
)


class Videos:
    def __init__(self, db: Db, clock: Clock, data_dir: Path, screening: Screening) -> None:
        self._db, self._data_dir, self._screening = db, data_dir, screening
        self._media = Media(db, clock)
        self._users = db.statements("profiles.users")
        self._decoding = DecodePool(VIDEO)
        self.uploads = Uploads(data_dir, MOST_UPLOADS)

    async def save(self, user_id: str, source: BinaryIO) -> str:
        """Replaces the video and returns its new media id.

        Raises: UnsupportedMedia, Invalid, Unavailable, NotFound (the user was deleted).
        """
        if not size_of(source):
            raise Invalid(video="Record or choose a video first.")
        source.seek(0)
        with unnamed_file(self._data_dir) as target:
            found = await self._decoding.run(user_id, WORDS, source, target)
            content_type = found.get("content_type")
            if content_type not in CONTENT_TYPES:
                raise Invalid(video=WORDS.damaged)
            byte_size = int(found["byte_size"])
            target.seek(byte_size)
            frame = Decoded.of(target.read(), found)
            cause = await self._screening.check(frame, "video")
            target.seek(0)
            return await self._keep(user_id, content_type, target, byte_size, frame, cause)

    async def _keep(
        self,
        user_id: str,
        content_type: str,
        target: BinaryIO,
        byte_size: int,
        frame: Decoded,
        cause: Cause | None,
    ) -> str:
        async with self._db.transaction() as on:
            kind: MediaKind = "video"
            media_id = await self._media.save_file(user_id, kind, content_type, target, byte_size, on=on)
            await self._screening.keep(user_id, media_id, frame, cause, frame=True, on=on)
            if not await self._users.run("set_video", on=on, user_id=user_id, video_id=media_id):
                raise NotFound
            await self._media.delete_older(user_id, "video", media_id, on=on)
        return media_id

    async def remove(self, user_id: str) -> None:
        """Removes the video, if there is one."""
        async with self._db.transaction() as on:
            await self._users.run("set_video", on=on, user_id=user_id, video_id=None)
            await self._media.delete_older(user_id, "video", None, on=on)

    async def close(self) -> None:
        await self._decoding.close()
