"""Download of selfies and videos."""

from __future__ import annotations

from handlers.base.file_response import FileHandler
from models.errors import NotFound
from models.profiles.media import MediaFile

DAY = 24 * 3600


class MediaHandler(FileHandler):
    """GET /media/<mediaId>: for members who may see the owner; for others the same 404 as an unknown id."""

    is_counted = False

    async def get(self, media_id: str) -> None:
        await self.answer(await self._file(media_id), f"private, max-age={DAY}, immutable")

    async def _file(self, media_id: str) -> MediaFile:
        viewer = self.member
        if viewer is None or viewer.is_banned:
            raise NotFound
        file = await self.models.media.find(media_id, viewer.user_id)
        if file is None:
            raise NotFound
        return file
