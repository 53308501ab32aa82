"""Export of one's own data."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import IO

from handlers.base.handler import BaseHandler
from handlers.http.downloads import send
from models.profiles.media import CHUNK


class ExportHandler(BaseHandler):
    """POST /settings/export: a ZIP, completed first and then sent at the client's pace."""

    async def post(self) -> None:
        member = self.allowed(access=False, selfie=False)
        async with self.models.exports.open(member.user_id) as file:
            self._describe(os.fstat(file.fileno()).st_size)
            await send(self, _chunks(file))

    def _describe(self, size: int) -> None:
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Length", str(size))
        self.set_header("Content-Disposition", 'attachment; filename="napalm-sky-my-data.zip"')
        self.set_header("Cache-Control", "no-store")


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK):
        yield chunk
