"""Stored pictures and videos: their bytes, and who may see them.

Bytes are stored in PostgreSQL in chunks of 1 MiB, so that any process can serve them and read parts of them.
A `media_id` always names the same bytes, so browsers may cache them. For a viewer who may not see the owner,
the media does not exist. A user who was blocked or reported by the owner sees what the owner had then, and
nothing newer (docs/decisions/product/blocks-look-like-declines.md).
"""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO, Literal

import msgspec

from models.clock import Clock
from models.ids import is_id, new_id
from models.postgres.database import Db, Transaction

CHUNK = 1024 * 1024
MediaKind = Literal["selfie", "video"]


class MediaFile(msgspec.Struct, frozen=True):
    """The metadata of a stored file."""

    media_id: str
    owner_id: str
    kind: MediaKind
    content_type: str
    byte_size: int


class Media:
    def __init__(self, db: Db, clock: Clock) -> None:
        self._clock = clock
        self._sql = db.statements("profiles.media")

    async def find(self, media_id: str, viewer_id: str) -> MediaFile | None:
        """None if it does not exist or the viewer may not see it."""
        if not is_id(media_id):
            return None
        return await self._sql.one("find", MediaFile, media_id=media_id, viewer_id=viewer_id)

    async def read(self, file: MediaFile, first: int = 0, last: int | None = None) -> bytes:
        """The bytes from `first` to `last`, both included, as HTTP counts them (RFC 9110, 14.1.2).

        All of them by default.
        """
        last = file.byte_size - 1 if last is None else min(last, file.byte_size - 1)
        first_seq, last_seq = first // CHUNK, last // CHUNK
        value = await self._sql.value("read", media_id=file.media_id, first_seq=first_seq, last_seq=last_seq)
        start = first - first_seq * CHUNK
        return bytes(value or b"")[start : start + last - first + 1]

    async def save(
        self, owner_id: str, kind: MediaKind, content_type: str, data: bytes, *, on: Transaction
    ) -> str:
        """Stores bytes and returns the new media id."""
        return await self.save_file(owner_id, kind, content_type, BytesIO(data), len(data), on=on)

    async def save_file(
        self,
        owner_id: str,
        kind: MediaKind,
        content_type: str,
        file: BinaryIO,
        byte_size: int,
        *,
        on: Transaction,
    ) -> str:
        """As `save`, reading `file` in chunks, so that it is never whole in memory."""
        media_id = new_id()
        await self._sql.run(
            "create",
            on=on,
            media_id=media_id,
            owner_id=owner_id,
            kind=kind,
            content_type=content_type,
            byte_size=byte_size,
            now=self._clock.frozen,
        )
        for seq in range(-(-byte_size // CHUNK)):
            chunk = file.read(min(CHUNK, byte_size - seq * CHUNK))
            await self._sql.run("write_chunk", on=on, media_id=media_id, seq=seq, bytes=chunk)
        return media_id

    async def delete_older(
        self, owner_id: str, kind: MediaKind, media_id: str | None, *, on: Transaction
    ) -> None:
        """Deletes all media of that kind but `media_id`; with None all."""
        await self._sql.run("delete_older", on=on, owner_id=owner_id, kind=kind, media_id=media_id)
