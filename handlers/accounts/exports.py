"""Export of one's own data, by a session or by the token of a ban."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import IO

import msgspec

from handlers.base.handler import BaseHandler
from handlers.http.downloads import send
from models.profiles.media import CHUNK


class BannedExportForm(msgspec.Struct, rename="camel"):
    token: str = ""


class ExportHandler(BaseHandler):
    """POST /settings/export: a ZIP, completed first and then sent at the client's pace."""

    async def post(self) -> None:
        await self.send_export(self.allowed(access=False, selfie=False).user_id)

    async def send_export(self, user_id: str) -> None:
        async with self.models.exports.open(user_id) as file:
            self._describe(os.fstat(file.fileno()).st_size)
            await send(self, _chunks(file))

    def _describe(self, size: int) -> None:
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Length", str(size))
        self.set_header("Content-Disposition", 'attachment; filename="napalm-sky-my-data.zip"')
        self.set_header("Cache-Control", "no-store")


class BannedExportHandler(ExportHandler):
    """POST /appeal/export: the same for a banned user, whose session has ended."""

    is_private = True

    async def post(self) -> None:
        appeal = await self.models.appeals.get(self.read(BannedExportForm).token)
        await self.send_export(appeal.user_id)


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK):
        yield chunk
